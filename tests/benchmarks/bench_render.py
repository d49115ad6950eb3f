"""How fast a render is and how much memory a long one takes, as ratios.

Made sounds and segments by chance (the work is the same as with real ones), no network: what is measured is
decoding, steering, limiting, encoding to 24-bit wav, and measuring the written file. Each figure comes from a
process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 44100
SPEED_WANTED = 50.0  # times real time, on two cores
MEMORY_WANTED = 200.0  # MB of an hour above those of a minute


def make_track(path: Path, minutes: float) -> None:
    """A stereo file of chords under noise, as loud as music is today."""
    rng = np.random.default_rng(0)
    time_s = np.arange(SAMPLE_RATE * 10) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * frequency * time_s) for frequency in (110, 220, 277.2, 329.6, 1318.5))
    sound = 0.15 * chord[:, None] + rng.normal(0, 0.1, (len(time_s), 2)) * np.exp(-(time_s % 0.5) * 8)[:, None]
    sound = (sound / np.abs(sound).max()).astype(np.float32)
    left = round(minutes * 60 * SAMPLE_RATE)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, "PCM_16") as file:
        while left > 0:
            file.write(sound[:left])
            left -= len(sound)


def render_once(path: Path) -> dict[str, float]:
    """Render `path` in this process: seconds apart from start-up, and the process's largest memory in MB."""
    from moodfader.engine.audio.track import load_track
    from moodfader.engine.dsp.faders import Faders
    from moodfader.engine.render.level_controlled_write import write_with_levels
    from moodfader.models.common.constants import HOP_LENGTH, N_BANDS
    from moodfader.models.common.constants import SAMPLE_RATE as NETWORK_RATE

    track = load_track(path)
    frames = -(-round(track.duration_s * NETWORK_RATE) // HOP_LENGTH)
    # About 300 segments in ten seconds.
    labels = np.arange(frames, dtype=np.int32)[:, None] // 20 * 19 + np.arange(N_BANDS, dtype=np.int32) // 8
    weights = np.random.default_rng(0).uniform(-1, 1, (int(labels.max()) + 1, 7)).astype(np.float32)
    faders = Faders(modality=6, melodiousness=-4, dissonance=3)
    started = time.perf_counter()
    write_with_levels(track, labels, weights, path.with_name("out.wav"), faders=faders)
    seconds = time.perf_counter() - started
    path.with_name("out.wav").unlink()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {"seconds": seconds, "memory_mb": memory, "times_real_time": track.duration_s / seconds}


def measured(path: Path) -> dict[str, float]:
    """render_once in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", str(path)], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", type=Path, metavar="FILE", help="render one file here and print the figures as JSON")
    parser.add_argument("--minutes", type=float, default=60, help="length of the long render (default: 60)")
    parser.add_argument(
        "--repeats", type=int, default=3, help="renders of four minutes, the best counts (default: 3)"
    )
    options = parser.parse_args()
    if options.one:
        print(json.dumps(render_once(options.one)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "track.wav"
        make_track(path, 4)
        runs = [measured(path) for _ in range(options.repeats)]
        fast = max(run["times_real_time"] for run in runs)
        print(
            f"render, 4 min stereo 44.1 kHz  {fast:7.1f} x real time   (wanted: {SPEED_WANTED:.0f})  "
            f"{fast / SPEED_WANTED:5.2f} of what is wanted"
        )
        make_track(path, 1)
        short = measured(path)["memory_mb"]
        make_track(path, options.minutes)
        long = measured(path)["memory_mb"]
        print(
            f"memory, {options.minutes:.0f} min over 1 min      {long - short:+7.1f} MB            "
            f"(allowed: {MEMORY_WANTED:.0f})  {long / short:5.2f} of {short:.0f} MB"
        )


if __name__ == "__main__":
    main()
