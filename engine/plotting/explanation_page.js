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
