// Keeps the screen on while it plays: by the Wake Lock API where the page has it (https and localhost), else by a
// small silent film that loops, out of sight: browsers hold the screen on for that.

export class Awake {
  constructor(link) {
    this.lock = null;
    this.wanted = false;
    link.on("transport/play", (playing) => { this.wanted = Boolean(playing); this.act(); });
    document.addEventListener("visibilitychange", () => this.act());
    document.addEventListener("pointerup", () => this.act());  // (films may only be started by a touch)
  }

  async act() {
    const wanted = this.wanted && !document.hidden;
    if (navigator.wakeLock) {
      try {
        if (wanted && !this.lock) {
          this.lock = await navigator.wakeLock.request("screen");
          this.lock.addEventListener("release", () => { this.lock = null; });
        } else if (!wanted && this.lock) await this.lock.release();
        return;
      } catch { /* the battery is low, or it is not allowed: the film */ }
    }
    if (wanted && !this.film) {
      this.film = Object.assign(document.createElement("video"), { src: "awake.mp4", loop: true, playsInline: true, disableRemotePlayback: true });
      this.film.className = "awake";
      this.film.setAttribute("aria-hidden", "true");
      this.film.tabIndex = -1;
      document.body.append(this.film);
    }
    if (!this.film) return;
    if (wanted) this.film.play().catch(() => {});
    else this.film.pause();
  }
}
