// Presets, snapshots and morphs, cue points, targets and the set list.

import { Slider } from "./slider.js";

const SLOTS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

export function presets(link, section) {
  const chips = section.querySelector(".chips");
  chips.textContent = "";
  for (const name of link.hello.presets) {
    const chip = button(name, "chip");
    chip.addEventListener("click", () => link.set("preset/load", name));
    chips.append(chip);
  }
  const mark = (loaded) => {
    for (const chip of chips.children) chip.setAttribute("aria-pressed", chip.textContent === loaded);
  };
  once(section, () => {
    link.on("preset/load", mark);
    named(section, { save: (text) => link.set("preset/save", text) });
    const begins = section.querySelector("#track-preset");
    begins.addEventListener("click", () => link.set("track/preset", link.get("track/preset") ? "" : link.get("preset/load") || ""));
    link.on("track/preset", (name) => {
      begins.setAttribute("aria-pressed", Boolean(name));
      begins.textContent = name ? `Track begins with ${name}` : "Track begins with it";
    });
  });
  mark(link.get("preset/load"));
}

export function snapshots(link, section) {
  const modes = section.querySelector(".modes"), keys = section.querySelector(".keys"), sliders = section.querySelector(".sliders");
  let mode = "snapshot/recall";
  const words = { "snapshot/recall": "Recall", "morph/to": "Morph to", "snapshot/store": "Store", "snapshot/clear": "Clear" };
  modes.textContent = keys.textContent = sliders.textContent = "";
  for (const [address, word] of Object.entries(words)) {
    const one = button(word, "mode");
    one.setAttribute("aria-pressed", address === mode);
    one.addEventListener("click", () => {
      mode = address;
      for (const other of modes.children) other.setAttribute("aria-pressed", other === one);
      keys.dataset.mode = address.split("/").pop();
    });
    modes.append(one);
  }
  for (const slot of SLOTS) {
    const key = button("", "key");
    key.innerHTML = `<b>${slot}</b><span></span>`;
    key.addEventListener("click", () => {
      link.set(mode, slot);
      if (mode === "snapshot/store") modes.firstChild.click();
    });
    keys.append(key);
    link.on(`snapshot/names/${slot}`, (name) => {
      key.querySelector("span").textContent = name && name !== String(slot) ? name : "";
      key.classList.toggle("full", Boolean(name));
      key.setAttribute("aria-label", `snapshot ${slot}: ${name || "empty"}`);
    });
    link.on("snapshot/slot", (now) => key.setAttribute("aria-current", now === slot));
  }
  sliders.append(new Slider(link, "morph/seconds", { label: "morph time", low: 0, high: 30, rest: 4, step: 0.5, digits: 1, unit: "s", plain: true, unitWord: "seconds" }).element);
  sliders.append(new Slider(link, "morph/position", { label: "crossfade", low: 0, high: 1, rest: 0, step: 0.05, digits: 2, percent: true }).element);
  const ends = document.createElement("p");
  ends.className = "ends";
  for (const end of ["a", "b"]) {
    const label = document.createElement("label"), select = document.createElement("select");
    for (const slot of SLOTS) select.append(new Option(String(slot), slot));
    label.append(`${end.toUpperCase()} `, select);
    select.addEventListener("change", () => link.set(`morph/${end}`, Number(select.value)));
    link.on(`morph/${end}`, (slot) => { if (slot) select.value = slot; });
    ends.append(label);
  }
  sliders.append(ends);
  for (const name of ["undo", "redo"]) {
    const one = section.querySelector(`#${name}`);
    one.onclick = () => link.press(name);
    link.on(`state/${name}`, (steps) => { one.disabled = steps === 0; });
  }
  const slot = () => link.get("snapshot/slot");
  named(section, { name: (text) => link.set("snapshot/name", text), preset: (text) => link.set("snapshot/preset", text) });
  link.on("snapshot/slot", () => { section.querySelector("form").hidden = !slot(); });
}

export function cues(link, box) {
  box.textContent = "";
  for (const cue of SLOTS) {
    const one = button(String(cue), "cue");
    let pressed = 0;
    one.addEventListener("click", () => link.set(typeof link.get(`cue/points/${cue}`) === "number" ? "cue/go" : "cue/set", cue));
    one.addEventListener("pointerdown", () => { pressed = setTimeout(() => { link.set("cue/clear", cue); pressed = -1; }, 700); });
    one.addEventListener("pointerup", () => { if (pressed > 0) clearTimeout(pressed); });
    one.addEventListener("click", (event) => { if (pressed === -1) event.stopImmediatePropagation(); }, { capture: true });
    one.addEventListener("keydown", (event) => { if (event.key === "Delete") link.set("cue/clear", cue); });
    link.on(`cue/points/${cue}`, (at) => {
      const set = typeof at === "number";
      one.classList.toggle("full", set);
      one.setAttribute("aria-label", set ? `go to cue ${cue}` : `set cue ${cue} here`);
    });
    box.append(one);
  }
}

export function targets(link, section, emotions) {
  const sliders = section.querySelector(".sliders"), row = link.table.get(`target/${emotions[0]}`);
  const low = row.low ?? -0.2, high = row.high ?? 0.2;
  sliders.textContent = "";
  for (const name of emotions) {
    const slider = new Slider(link, `target/${name}`, { label: name, low, high, rest: 0, step: 0.01, digits: 2, optional: true });
    const reach = () => {
      const from = link.get(`reachable/low/${name}`), to = link.get(`reachable/high/${name}`), now = link.get(`reached/${name}`);
      const known = typeof from === "number" && typeof to === "number";
      slider.element.classList.toggle("reachable", known);
      slider.element.style.setProperty("--from", known ? clipped(slider.fraction(from)) : 0);
      slider.element.style.setProperty("--to", known ? clipped(slider.fraction(to)) : 1);
      slider.element.classList.toggle("reached", typeof now === "number");
      slider.element.style.setProperty("--mark", typeof now === "number" ? clipped(slider.fraction(now)) : 0);
    };
    for (const address of [`reachable/low/${name}`, `reachable/high/${name}`, `reached/${name}`]) link.on(address, reach);
    sliders.append(slider.element);
  }
  link.on("state/target", (text) => { section.querySelector("#target-state").textContent = text || ""; });
  section.querySelector("#targets-off").onclick = () => link.press("target_off");
  pad(link, section, emotions, low, high);
}

function pad(link, section, emotions, low, high) {
  const field = section.querySelector("#pad"), across = section.querySelector("#pad-x"), up = section.querySelector("#pad-y");
  const thumb = field.querySelector("b");
  if (!across.options.length) {
    for (const select of [across, up]) for (const name of emotions) select.append(new Option(name, name));
    across.value = "valence";
    up.value = "energy";
  }
  const show = () => {
    const place = (name) => { const value = link.get(`target/${name}`); return typeof value === "number" ? value : null; };
    const x = place(across.value), y = place(up.value);
    thumb.classList.toggle("off", x === null && y === null);
    thumb.style.left = `${clipped(((x ?? 0) - low) / (high - low)) * 100}%`;
    thumb.style.bottom = `${clipped(((y ?? 0) - low) / (high - low)) * 100}%`;
  };
  for (const name of emotions) link.on(`target/${name}`, show);
  across.onchange = up.onchange = show;
  let pointer = null, held = [];
  const move = (event) => {
    const box = field.getBoundingClientRect();
    const values = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height].map((part) => Number((low + (high - low) * clipped(part)).toFixed(3)));
    held.forEach((address, axis) => { link.set(address, values[axis]); });
    thumb.style.left = `${clipped((values[0] - low) / (high - low)) * 100}%`;
    thumb.style.bottom = `${clipped((values[1] - low) / (high - low)) * 100}%`;
    thumb.classList.remove("off");
    return values;
  };
  field.onpointerdown = (event) => {
    if (pointer !== null) return;
    event.preventDefault();
    pointer = event.pointerId;
    field.setPointerCapture(pointer);
    held = [`target/${across.value}`, `target/${up.value}`];
    link.hold(held);
    move(event);
  };
  field.onpointermove = (event) => { if (event.pointerId === pointer) move(event); };
  field.onpointerup = field.onpointercancel = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    link.release(held, move(event));
  };
  show();
}

export function setList(link, section) {
  const list = section.querySelector("ol");
  list.textContent = "";
  link.hello.tracks.forEach((name, number) => {
    const item = document.createElement("li"), one = button(name, "song");
    one.addEventListener("click", () => link.set("transport/track", number));
    item.append(one);
    list.append(item);
  });
  const mark = (track) => {
    [...list.querySelectorAll("button")].forEach((one, number) => one.setAttribute("aria-current", number === track));
  };
  once(section, () => link.on("transport/track", mark));
  mark(link.get("transport/track"));
}

// A field for a name, and what each button of its form does with it.
function named(section, actions) {
  const form = section.querySelector("form"), field = form.querySelector("input");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim(), button = event.submitter ?? form.querySelector("button");
    if (!text) { field.focus(); return; }
    actions[button.value](text);
    field.value = "";
    field.blur();
  });
}

function once(section, wire) {
  if (section.dataset.wired) return;
  section.dataset.wired = "yes";
  wire();
}

function button(text, kind) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  return made;
}

function clipped(value) { return Math.min(Math.max(value, 0), 1); }
