// A slider for fingers, mouse, keyboard and screen reader; several can be moved at once.

const SNAP = 0.02;          // of the range, around the resting value
const DOUBLE_TAP_MS = 320;

export class Slider {
  // options: label, low, high, rest (where double tap and Delete go), unit, step, digits, vertical, optional
  constructor(link, address, options) {
    this.link = link;
    this.address = address;
    Object.assign(this, { low: -12, high: 12, rest: 0, unit: "", step: 0.5, digits: 1, vertical: false, optional: false }, options);
    this.value = this.rest;
    this.pointer = null;
    this.lastTap = 0;
    this.build();
    link.on(address, (value) => { if (this.pointer === null) this.show(value); this.showHolder(); });
    link.addEventListener("taken", (event) => { if (event.detail === address) this.end(false); });
    link.addEventListener("lost", () => this.end(false));
  }

  build() {
    const box = this.element = document.createElement("div");
    box.className = "slider " + (this.vertical ? "vertical" : "horizontal");
    box.innerHTML = '<span class="name"></span><div class="track" role="slider" tabindex="0"><i class="range"></i><i class="centre"></i><i class="fill"></i><i class="mark"></i><b class="thumb"></b></div><output></output>';
    box.querySelector(".name").textContent = this.shown || this.label;
    const track = this.track = box.querySelector(".track");
    track.setAttribute("aria-label", this.label);
    track.setAttribute("aria-orientation", this.vertical ? "vertical" : "horizontal");
    track.setAttribute("aria-valuemin", this.low);
    track.setAttribute("aria-valuemax", this.high);
    this.output = box.querySelector("output");
    this.output.setAttribute("aria-hidden", "true");
    box.style.setProperty("--rest", this.fraction(this.rest));
    track.addEventListener("pointerdown", (event) => this.begin(event));
    track.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      track.addEventListener(name, (event) => { if (event.pointerId === this.pointer) this.end(true); });
    }
    track.addEventListener("keydown", (event) => this.key(event));
    track.addEventListener("contextmenu", (event) => event.preventDefault());
    this.show(this.link.get(this.address));
  }

  fraction(value) { return (value - this.low) / (this.high - this.low); }

  at(event) {
    const box = this.track.getBoundingClientRect();
    const pad = this.thumbSize() / 2;
    const length = (this.vertical ? box.height : box.width) - 2 * pad;
    const place = this.vertical ? box.bottom - pad - event.clientY : event.clientX - box.left - pad;
    return place / length;
  }

  thumbSize() {
    const thumb = this.track.querySelector(".thumb");
    return this.vertical ? thumb.offsetHeight : thumb.offsetWidth;
  }

  begin(event) {
    if (event.button > 0 || this.pointer !== null) return;
    event.preventDefault();
    this.track.focus({ preventScroll: true });
    const now = performance.now();
    const double = now - this.lastTap < DOUBLE_TAP_MS;
    this.lastTap = now;
    this.pointer = event.pointerId;
    try { this.track.setPointerCapture(event.pointerId); } catch { /* the finger has gone already */ }
    this.element.classList.add("down");
    this.link.hold([this.address]);
    const at = this.at(event), here = this.fraction(this.value ?? this.rest);
    const box = this.track.getBoundingClientRect();
    const reach = this.thumbSize() / (this.vertical ? box.height : box.width);
    this.offset = Math.abs(at - here) < reach * 0.8 ? here - at : 0;  // on the thumb: it does not jump
    if (double) { this.offset = this.fraction(this.rest) - at; this.change(this.optional ? null : this.rest); }
    else if (this.offset === 0) this.move(event);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    let fraction = Math.min(Math.max(this.at(event) + this.offset, 0), 1);
    if (Math.abs(fraction - this.fraction(this.rest)) < SNAP) fraction = this.fraction(this.rest);
    const value = this.low + (this.high - this.low) * fraction;
    this.change(Number(value.toFixed(this.digits + 1)));
  }

  end(ours) {
    if (this.pointer === null) return;
    const pointer = this.pointer;
    this.pointer = null;
    if (this.track.hasPointerCapture(pointer)) this.track.releasePointerCapture(pointer);
    this.element.classList.remove("down");
    if (ours) this.link.release([this.address], [this.value]);
    else this.show(this.link.get(this.address));
    this.showHolder();
  }

  key(event) {
    const big = (this.high - this.low) / 8, now = this.value ?? this.rest;
    const wanted = {
      ArrowUp: now + this.step, ArrowRight: now + this.step, ArrowDown: now - this.step, ArrowLeft: now - this.step,
      PageUp: now + big, PageDown: now - big, Home: this.low, End: this.high,
      Delete: this.rest, Backspace: this.rest, 0: this.rest,
    }[event.key];
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (this.optional && ["Delete", "Backspace"].includes(event.key)) { this.press(null); return; }
    const step = event.shiftKey ? this.step / 5 : this.step;
    const stepped = event.key.startsWith("Arrow") ? now + Math.sign(wanted - now) * step : wanted;
    this.press(Number(Math.min(Math.max(stepped, this.low), this.high).toFixed(this.digits + 1)));
  }

  press(value) {  // a key that repeats goes on from its own last value, not from an echo that is late
    if (value !== this.value) this.link.settle(this.address, value);
    this.change(value);
  }

  change(value) {
    if (value === this.value) return;
    this.show(value);
    this.link.set(this.address, value);
  }

  show(value) {
    const off = value === null || value === undefined;
    this.value = off ? (this.optional ? null : this.rest) : value;
    const shown = this.value ?? this.rest;
    this.element.style.setProperty("--at", Math.min(Math.max(this.fraction(shown), 0), 1));
    this.element.classList.toggle("off", this.value === null);
    this.element.classList.toggle("above", shown > this.rest);
    this.element.classList.toggle("below", shown < this.rest);
    const text = this.value === null ? "off" : this.text(shown);
    this.output.textContent = text;
    this.track.setAttribute("aria-valuenow", shown);
    this.track.setAttribute("aria-valuetext", this.value === null ? "off" : `${text.replace("−", "minus ")} ${this.unitWord || ""}`.trim());
  }

  text(value) {
    if (this.percent) return `${Math.round(value * 100)} %`;
    if (this.plain) return `${value.toFixed(this.digits)} ${this.unit}`;
    return signed(value, this.digits) + (this.unitShown ? ` ${this.unit}` : "");
  }

  showHolder() {
    const other = this.link.heldByOther(this.address);
    this.element.classList.toggle("other", other);
    if (other) this.track.setAttribute("aria-description", "moved by somebody else"); else this.track.removeAttribute("aria-description");
  }
}

export function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? "0" : (value < 0 ? "−" : "+") + text;
}
