"""How the page of an explanation looks and what its players do: all in the page itself, nothing is fetched."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d1f22; --soft: #62676d; --ground: #f5f4f1; --card: #fff;
  --line: #e2e0db; --for: #0072b2; --against: #d55e00; --warn: #fdf1e4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9e7e2; --soft: #a3a7ac; --ground: #16181b; --card: #1f2226; --line: #34383e;
    --for: #5db7ea; --against: #ff9452; --warn: #382717; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.3rem); line-height: 1.15; margin: 0 0 .4rem; letter-spacing: -.015em;
  overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 + p, .facts { color: var(--soft); margin: 0 0 1rem; max-width: 62rem; }
a { color: var(--for); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: clamp(1rem, 3vw, 1.6rem); margin: 1.4rem 0; }
.wide { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.picture { background: #fff; border-radius: 8px; margin: 1rem 0 .2rem; }
.picture img { display: block; width: 100%; min-width: 46rem; height: auto; border-radius: 8px; }
.more { font-size: .85rem; color: var(--soft); margin: .2rem 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .45rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { white-space: normal; min-width: 5.5rem; font-weight: 600; font-size: .85rem; color: var(--soft);
  vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr:last-child td { border-bottom: 0; }
.for { color: var(--for); } .against { color: var(--against); }
.players { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .8rem 1.2rem; }
.players label { display: block; font-size: .9rem; }
.players b { display: block; font-weight: 600; }
audio { width: 100%; height: 2.6rem; margin-top: .25rem; display: block; }
.warning { background: var(--warn); border-left: 4px solid var(--against); border-radius: 6px;
  padding: .6rem .9rem; margin: 0 0 1rem; }
nav { display: flex; flex-wrap: wrap; gap: .4rem .6rem; margin: 1rem 0 0; }
nav a { text-decoration: none; border: 1px solid var(--line); border-radius: 99px; padding: .15rem .75rem;
  background: var(--card); font-size: .9rem; }
@media print { section { break-inside: avoid; } nav, audio { display: none; } }
"""

SCRIPT: Final = """
// One sound at a time; within a section the next one goes on where the last one was, for a fair comparison.
let playing = null;
document.addEventListener("play", event => {
  const next = event.target;
  if (playing && playing !== next) {
    const together = playing.closest("section") === next.closest("section");
    if (together && !playing.ended) next.currentTime = playing.currentTime;
    playing.pause();
  }
  playing = next;
}, true);
"""
