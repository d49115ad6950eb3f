// The page: which parts there are, and what each is connected to. Everything is built from the table of parameters.

import { Awake } from "./awake.js";
import { Effects } from "./effects.js";
import { Link } from "./link.js";
import { cues, presets, setList, snapshots, targets } from "./show.js";
import { Slider } from "./slider.js";
import { GainMap, Wave, clock } from "./wave.js";

// Where long names may be broken between two lines.
const BREAKS = { melodiousness: "melo\u00addious\u00adness", articulation: "articu\u00adlation", dissonance: "disso\u00adnance", complexity: "com\u00adplexity", rhythmic: "rhyth\u00admic", modality: "moda\u00adlity" };
const find = (selector) => document.querySelector(selector);
const link = new Link();
const parts = { built: false };
window.moodfader = { link };  // (for tests, and for the curious)

link.addEventListener("begin", () => {
  find("#lost").hidden = true;
  find("#link").dataset.state = "live";
  find("#link span").textContent = "live";
  if (!parts.built) build();
  presets(link, find("#presets"));
  setList(link, find("#setlist"));
});
link.addEventListener("presets", () => presets(link, find("#presets")));
link.addEventListener("lost", () => {
  find("#lost").hidden = false;
  find("#link").dataset.state = "lost";
  find("#link span").textContent = "reconnecting";
});
link.addEventListener("rtt", () => { find("#link span").textContent = `${Math.max(1, Math.round(link.rtt))} ms`; });
link.addEventListener("refused", (event) => notice(event.detail.error));

function build() {
  parts.built = true;
  const names = (folder) => [...link.table.keys()].filter((address) => address.startsWith(`${folder}/`)).map((address) => address.slice(folder.length + 1));
  const features = names("midlevel"), emotions = names("emotion");
  const faders = find("#faders");
  for (const name of features) {
    const row = link.table.get(`midlevel/${name}`);
    const label = name.replaceAll("_", " ") + (name === "modality" ? " (minor)" : "");
    const shown = label.replace(/[a-z]+/g, (word) => BREAKS[word] ?? word);
    faders.append(new Slider(link, `midlevel/${name}`, { label, shown, low: row.low, high: row.high, rest: row.default, vertical: true, unitWord: "decibels" }).element);
  }
  new Effects(link, find("#emotions"), emotions);
  const mix = find("#mix .sliders");
  mix.append(new Slider(link, "master", { label: "master", low: -60, high: 12, rest: 0, step: 1, digits: 1, unit: "dB", unitShown: true, unitWord: "decibels" }).element);
  mix.append(new Slider(link, "wet", { label: "wet", low: 0, high: 1, rest: 1, step: 0.05, digits: 2, percent: true }).element);
  for (const [id, address] of [["bypass", "bypass"], ["ab", "bypass"], ["delta", "delta"], ["match", "match_loudness"], ["loop", "transport/loop"], ["play", "transport/play"]]) toggle(id, address);
  link.on("transport/play", (on) => find("#play").setAttribute("aria-label", on ? "pause" : "play"));
  for (const name of ["next", "previous"]) find(`#${name}`).addEventListener("click", () => link.press(`transport/${name}`));
  find("#zero").addEventListener("click", () => link.press("zero"));
  find("#back").addEventListener("click", () => link.press("undo"));
  link.on("state/undo", (steps) => { find("#back").disabled = !steps; });
  const wave = new Wave(link, find("#wave"));
  find("#loop-start").addEventListener("click", () => link.set("transport/loop_start", Number(wave.now().toFixed(3))));
  find("#loop-end").addEventListener("click", () => link.set("transport/loop_end", Number(wave.now().toFixed(3))));
  new GainMap(link, find("#map"), wave, features);
  snapshots(link, find("#snapshots"));
  cues(link, find("#cues"));
  targets(link, find("#targets"), emotions);
  head();
  health();
  tabs();
  keys();
  new Awake(link);
  document.body.classList.add("ready");
}

function toggle(id, address) {
  const one = find(`#${id}`);
  one.addEventListener("click", () => link.set(address, !link.get(address)));
  link.on(address, (on) => one.setAttribute("aria-pressed", Boolean(on)));
}

function head() {
  link.on("transport/track", (track) => {
    find("#track").textContent = link.hello.tracks[track] ?? "";
    document.title = `${link.hello.tracks[track] ?? ""} – Moodfader`;
  });
  link.on("state/text", (text) => { find("#state").textContent = text || ""; });
  link.on("state/sound", (sound) => { document.body.dataset.sound = sound || ""; });
  const time = () => { find("#clock").textContent = `${clock(link.get("transport/position"))} / ${clock(link.get("transport/duration"))}`; };
  link.on("transport/position", time);
  link.on("transport/duration", time);
  const peak = find("#peak");
  let hold = -120, held = 0;
  link.on("meter/peak_db", (value) => {
    const now = performance.now(), level = value ?? -120;
    if (level >= hold || now - held > 1500) { hold = level; held = now; }
    peak.style.setProperty("--level", Math.min(1, Math.max(0, (level + 60) / 60)));
    peak.style.setProperty("--hold", Math.min(1, Math.max(0, (hold + 60) / 60)));
    peak.setAttribute("aria-valuenow", Math.round(Math.max(-60, Math.min(0, level))));
    peak.setAttribute("aria-valuetext", level <= -60 ? "silent" : `minus ${Math.abs(level).toFixed(0)} decibels`);
  });
}

function level(value) { return value <= -100 ? "silent" : `${value.toFixed(1)} dBFS`.replace("-", "−"); }

function health() {
  const rows = [
    ["peak", "meter/peak_db", (value) => (value <= -100 ? "silent" : `${value.toFixed(1)} dBTP`.replace("-", "−"))],
    ["left", "meter/left_db", level],
    ["right", "meter/right_db", level],
    ["limiter", "meter/reduction_db", (value) => (value < 0.05 ? "idle" : `−${value.toFixed(1)} dB`)],
    ["latency", "meter/latency_ms", (value) => `${value.toFixed(0)} ms`],
    ["load", "meter/load", (value) => `${Math.round(value * 100)} %`],
    ["drop-outs", "meter/dropouts", (value) => String(value)],
    ["late cycles", "meter/late", (value) => String(value)],
  ];
  const list = find("#health");
  for (const [name, address, text] of rows) {
    const box = document.createElement("div"), term = document.createElement("dt"), shown = document.createElement("dd");
    term.textContent = name;
    box.append(term, shown);
    list.append(box);
    link.on(address, (value) => {
      shown.textContent = typeof value === "number" ? text(value) : "–";
      if (["drop-outs", "late cycles"].includes(name)) box.classList.toggle("bad", value > 0);
    });
  }
}

function tabs() {
  const bar = find("#tabs");
  const words = { faders: "Faders", show: "Show", mix: "Mix", targets: "Targets" };
  for (const [tab, word] of Object.entries(words)) {
    const one = Object.assign(document.createElement("button"), { type: "button", textContent: word });
    one.setAttribute("aria-pressed", tab === document.body.dataset.tab);
    one.addEventListener("click", () => {
      document.body.dataset.tab = tab;
      for (const other of bar.children) other.setAttribute("aria-pressed", other === one);
      window.dispatchEvent(new Event("resize"));
    });
    bar.append(one);
  }
}

function keys() {  // as in the terminal: space plays, b is A/B, d delta, n next, z zero
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input, textarea")) return;
    if (event.key === " " && event.target.matches("button")) return;
    const action = {
      " ": () => link.set("transport/play", !link.get("transport/play")),
      b: () => link.set("bypass", !link.get("bypass")),
      d: () => link.set("delta", !link.get("delta")),
      n: () => link.press("transport/next"),
      z: () => link.press("zero"),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

let fading;
function notice(text) {
  const box = find("#notice");
  box.textContent = text;
  box.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => box.classList.remove("shown"), 4000);
}
