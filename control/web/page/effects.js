// The effect on each emotion, steered minus original, as a bar from the middle; the expected effect as a mark.

import { signed } from "./slider.js";

const SCALES = [0.05, 0.1, 0.2, 0.4, 1];

export class Effects {
  constructor(link, section, emotions) {
    this.link = link;
    this.rows = new Map();
    this.scale = SCALES[0];
    this.excerpt = section.querySelector("#excerpt");
    const list = section.querySelector(".rows");
    list.textContent = "";
    for (const name of emotions) {
      const row = document.createElement("div");
      row.className = "effect";
      row.innerHTML = '<span class="name"></span><div class="bar" role="meter"><i class="fill"></i><i class="mark"></i></div><output aria-hidden="true"></output>';
      row.querySelector(".name").textContent = name;
      const bar = row.querySelector(".bar");
      bar.setAttribute("aria-label", `effect on ${name}`);
      list.append(row);
      this.rows.set(name, row);
      for (const folder of ["effect", "expected"]) link.on(`${folder}/${name}`, () => this.redraw());
    }
    for (const address of ["excerpt/duration", "excerpt/settling"]) link.on(address, () => this.redraw());
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const largest = Math.max(...[...this.rows.keys()].flatMap((name) => ["effect", "expected"].map((folder) => Math.abs(this.link.get(`${folder}/${name}`) ?? 0))));
    this.scale = SCALES.find((scale) => scale >= largest) || 1;
    for (const [name, row] of this.rows) this.drawRow(row, this.link.get(`effect/${name}`), this.link.get(`expected/${name}`));
    const seconds = this.link.get("excerpt/duration");
    const words = seconds ? `last ${Math.round(seconds)} s${this.link.get("excerpt/settling") ? ", settling" : ""}` : "not measured yet";
    this.excerpt.textContent = `${words}, ±${this.scale}`;
  }

  drawRow(row, effect, expected) {
    const known = typeof effect === "number", awaited = typeof expected === "number";
    const shown = known ? effect : awaited ? expected : 0;
    row.style.setProperty("--at", Math.max(-1, Math.min(1, shown / this.scale)));
    row.style.setProperty("--mark", Math.max(-1, Math.min(1, (expected || 0) / this.scale)));
    row.classList.toggle("raises", shown > 0);
    row.classList.toggle("lowers", shown < 0);
    row.classList.toggle("guess", !known);
    row.classList.toggle("no-mark", !awaited);
    const text = known ? signed(effect, 2) : awaited ? signed(expected, 2) : "–";
    row.querySelector("output").textContent = text;
    const bar = row.querySelector(".bar");
    bar.setAttribute("aria-valuemin", -this.scale);
    bar.setAttribute("aria-valuemax", this.scale);
    bar.setAttribute("aria-valuenow", Number(shown.toFixed(3)));
    const words = known ? `measured ${signed(effect, 2)}` : "not measured";
    bar.setAttribute("aria-valuetext", `${words}, expected ${awaited ? signed(expected, 2) : "unknown"}`.replaceAll("−", "minus "));
  }
}
