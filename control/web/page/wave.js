// The waveform with position, loop and cue points, and the gain map around the position.

const SEEK_STEP_S = 5, MAP_S = 24, MAP_PAST = 0.3;

export class Wave {
  constructor(link, element) {
    this.link = link;
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.peaks = new Uint8Array(0);
    this.seconds = 0;
    this.dragged = null;
    this.position = 0;
    this.since = performance.now();
    link.on("transport/track", (track) => this.load(track));
    link.on("transport/position", (value) => { this.position = value || 0; this.since = performance.now(); this.redraw(); });
    for (const name of ["duration", "loop", "loop_start", "loop_end", "play"]) link.on(`transport/${name}`, () => { this.since = performance.now(); this.redraw(); });
    for (let cue = 1; cue <= 9; cue++) link.on(`cue/points/${cue}`, () => this.redraw());
    new ResizeObserver(() => this.redraw()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    element.addEventListener("pointerdown", (event) => this.begin(event));
    element.addEventListener("pointermove", (event) => { if (event.pointerId === this.pointer) { this.dragged = this.at(event); this.redraw(); } });
    element.addEventListener("pointerup", (event) => this.end(event, true));
    element.addEventListener("pointercancel", (event) => this.end(event, false));
    element.addEventListener("keydown", (event) => this.key(event));
  }

  get duration() { return this.link.get("transport/duration") || this.seconds || 0; }

  // Position now: the last one told, and the time since then while it plays.
  now() {
    const playing = this.link.get("transport/play") && this.link.get("state/sound") !== "ended";
    const since = playing && this.link.connected ? Math.min((performance.now() - this.since) / 1000, 0.2) : 0;
    return Math.min(this.position + since, this.duration);
  }

  async load(track) {
    if (this.track === track || track === undefined || track === null) return;
    this.track = track;
    this.peaks = new Uint8Array(0);
    this.redraw();
    try {
      const answer = await fetch(`wave/${track}`);
      if (!answer.ok || this.track !== track) return;
      const bytes = await answer.arrayBuffer();
      this.seconds = new DataView(bytes).getFloat32(0, true);
      this.peaks = new Uint8Array(bytes, 4);
      this.redraw();
    } catch { this.track = null; }
  }

  at(event) {
    const box = this.element.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.duration;
  }

  begin(event) {
    if (event.button > 0 || this.pointer != null) return;
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.pointer = event.pointerId;
    this.element.setPointerCapture(event.pointerId);
    this.dragged = this.at(event);
    this.redraw();
  }

  end(event, seek) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    if (seek) this.link.set("transport/seek", this.at(event));
    this.dragged = null;
    this.redraw();
  }

  key(event) {
    const by = { ArrowRight: SEEK_STEP_S, ArrowUp: SEEK_STEP_S, ArrowLeft: -SEEK_STEP_S, ArrowDown: -SEEK_STEP_S, PageUp: 30, PageDown: -30 }[event.key];
    if (by !== undefined) this.link.set("transport/skip", by);
    else if (event.key === "Home") this.link.set("transport/seek", 0);
    else return;
    event.preventDefault();
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const [context, width, height] = fitted(this.canvas, this.element);
    const style = getComputedStyle(this.element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const duration = this.duration, x = (seconds) => (duration ? seconds / duration * width : 0);
    const here = this.dragged ?? this.now();
    context.clearRect(0, 0, width, height);
    const loop = this.link.get("transport/loop");
    const from = this.link.get("transport/loop_start") || 0, to = this.link.get("transport/loop_end") || duration;
    if (loop || from || (to && to < duration)) {
      context.fillStyle = colour("--loop");
      context.globalAlpha = loop ? 0.28 : 0.1;
      context.fillRect(x(from), 0, x(to) - x(from), height);
      context.globalAlpha = 1;
      context.fillStyle = colour("--loop-edge");
      for (const edge of [from, to]) context.fillRect(Math.min(x(edge), width - 2), 0, 2, height);
    }
    const bar = Math.max(2, Math.round(width / 500)), step = bar + 1, middle = height / 2;
    const played = colour("--played"), ahead = colour("--ahead");
    for (let left = 0; left < width; left += step) {
      const first = Math.floor(left / width * this.peaks.length), last = Math.max(first + 1, Math.floor((left + step) / width * this.peaks.length));
      let peak = 0;
      for (let place = first; place < last && place < this.peaks.length; place++) peak = Math.max(peak, this.peaks[place]);
      const half = Math.max(0.75, peak / 255 * (middle - 4));
      context.fillStyle = left < x(here) ? played : ahead;
      context.fillRect(left, middle - half, bar, half * 2);
    }
    context.font = `600 ${Math.max(10, height * 0.14)}px system-ui, sans-serif`;
    for (let cue = 1; cue <= 9; cue++) {
      const at = this.link.get(`cue/points/${cue}`);
      if (typeof at !== "number") continue;
      context.fillStyle = colour("--cue");
      context.fillRect(x(at), 0, 1.5, height);
      const wide = context.measureText(cue).width + 8, tall = Math.max(14, height * 0.2);
      context.fillRect(x(at), 0, wide, tall);
      context.fillStyle = colour("--card");
      context.fillText(cue, x(at) + 4, tall * 0.77);
    }
    context.fillStyle = colour("--ink");
    context.fillRect(Math.min(x(here), width - 2) - 1, 0, 2.5, height);
    this.say(here, duration);
  }

  say(here, duration) {
    const element = this.element, text = `${clock(here)} of ${clock(duration)}`;
    if (element.getAttribute("aria-valuetext") === text) return;
    element.setAttribute("aria-valuemax", Math.max(1, Math.round(duration)));
    element.setAttribute("aria-valuenow", Math.round(here));
    element.setAttribute("aria-valuetext", text);
  }
}

// The gain map: which cells of the spectrogram the faders boost (orange) and cut (blue), moving with the sound.
export class GainMap {
  constructor(link, section, wave, features) {
    this.link = link;
    this.section = section;
    this.canvas = section.querySelector("canvas");
    this.wave = wave;
    this.faders = features.map((name) => `midlevel/${name}`);
    this.maps = new Set();
    this.stale = true;
    link.addEventListener("map", (event) => { this.maps.add(event.detail); this.load(true); });
    link.addEventListener("begin", () => { this.maps = new Set(link.hello.maps); this.load(); });
    link.on("transport/track", () => this.load());
    for (const address of [...this.faders, "bypass"]) link.on(address, () => { this.stale = true; this.redraw(); });
    link.on("transport/position", () => this.redraw());
  }

  async load(anew = false) {
    const track = this.link.get("transport/track");
    if (track === undefined || (this.track === track && !anew)) return;
    this.track = track;
    this.image = null;
    this.section.hidden = !this.maps.has(track);
    if (this.section.hidden) return;
    try {
      const answer = await fetch(`map/${track}`);
      if (!answer.ok) throw new Error();
      const bytes = new Uint8Array(await answer.arrayBuffer()), line = bytes.indexOf(10);
      const about = JSON.parse(new TextDecoder().decode(bytes.subarray(0, line)));
      const rest = bytes.slice(line + 1).buffer, cells = about.columns * about.rows;
      this.labels = about.bytes === 2 ? new Uint16Array(rest, 0, cells) : new Uint32Array(rest, 0, cells);
      this.weights = new Int8Array(rest, cells * about.bytes);
      this.about = about;
      this.image = Object.assign(document.createElement("canvas"), { width: about.columns, height: about.rows });
      this.stale = true;
      this.redraw();
    } catch { this.section.hidden = true; this.track = undefined; }
  }

  redraw() {
    if (!this.frame && this.image) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  paint() {
    const { columns, rows, segments, scale, limit_db: limit } = this.about, off = this.link.get("bypass");
    const faders = this.faders.map((address) => (off ? 0 : this.link.get(address) || 0) * scale);
    const gains = new Float32Array(segments);
    for (let segment = 0; segment < segments; segment++) {
      let gain = 0;
      for (let fader = 0; fader < 7; fader++) gain += faders[fader] * this.weights[segment * 7 + fader];
      gains[segment] = Math.max(-limit, Math.min(limit, gain)) / (limit / 2);
    }
    const context = this.image.getContext("2d"), image = context.createImageData(columns, rows);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        const gain = gains[this.labels[column * rows + row]], at = ((rows - 1 - row) * columns + column) * 4;
        const [red, green, blue] = gain > 0 ? [230, 110, 20] : [20, 120, 200];
        image.data[at] = red; image.data[at + 1] = green; image.data[at + 2] = blue;
        image.data[at + 3] = Math.min(255, 18 + Math.abs(gain) * 237);
      }
    }
    context.putImageData(image, 0, 0);
    this.stale = false;
  }

  draw() {
    if (!this.canvas.offsetParent) return;
    if (this.stale) this.paint();
    const [context, width, height] = fitted(this.canvas, this.canvas);
    const seconds = this.wave.now(), column = seconds / this.about.column_s, across = MAP_S / this.about.column_s;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    const first = column - across * MAP_PAST, each = width / across;
    context.drawImage(this.image, -first * each, 0, this.about.columns * each, height);
    context.fillStyle = getComputedStyle(this.section).getPropertyValue("--ink").trim();
    context.fillRect(width * MAP_PAST - 1, 0, 2, height);
  }
}

function fitted(canvas, box) {
  const ratio = window.devicePixelRatio || 1, width = box.clientWidth, height = box.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return [context, width, height];
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
