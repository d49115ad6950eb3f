"""Is the effect that a show displays the effect of the file? Its sign, for all presets on some tracks; no clock.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_effect_display.py --clips 3

Each track (the demo and clips of the research data) is played through the renderer of a show under each preset.
At some moments the effect is measured as the analysis process does: prediction of the steered minus prediction
of the original sound of the last ten seconds. The preset is solved as a whole, as `play` does once a track is
analysed, and rendered to a file by `render`; the effect is measured there twice: on the same seconds of both
files, and on the whole files. Printed are the shares of equal signs among the effects of .01 or more, and the
largest effect that is displayed with all faders at zero.
"""

import argparse
import tempfile
from dataclasses import astuple
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from explain_runs import DATA
from moodfader.control.session.presets import available_presets, find_preset
from moodfader.engine import AnalysisSettings, Faders, analyze, load_track
from moodfader.engine.analysis.prediction import predict_blocks
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.dsp.solved_settings import SolvedSetting
from moodfader.engine.live.effect_meter import choose_excerpt, measure_effect
from moodfader.engine.performance.events import ANALYSIS_READY, ROOT, SETTING_SOLVED, setting_text
from moodfader.engine.performance.performance import SetRenderer
from moodfader.engine.render.render import render
from moodfader.engine.render.whole_setting import solve_whole
from moodfader.models.common.constants import EMOTIONS, SAMPLE_RATE
from moodfader.models.inference.checkpoint import load_model

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"
LEAST = 0.01


def displayed(track, analysis, model, gains_db, moments_s):
    """The effects that a show displays at those moments, [moments, 8], and the seconds that each is of."""
    sound = SampleBuffer.from_file(track.path)
    sound.load()
    rate = sound.sample_rate
    renderer = SetRenderer([sound])
    renderer.masks[0] = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=rate)
    renderer.command(ANALYSIS_READY, 0)
    faders = Faders.from_mapping(gains_db)
    solved = solve_whole(track, analysis, faders, model)
    if solved is not None:
        text = setting_text(0, astuple(faders))
        renderer.settings[text] = SolvedSetting(faders.to_array(), solved.correction_db)
        renderer.command(SETTING_SOLVED, text)
    for name, value in gains_db.items():
        renderer.command(f"{ROOT}midlevel/{name}", value)
    renderer.command(f"{ROOT}transport/play", True)
    monitor, effects, seconds = [], [], []
    for moment_s in moments_s:
        while renderer.position < moment_s * rate:
            renderer.step()
            monitor.append(renderer.monitor.copy())
        read = renderer.position
        excerpt = choose_excerpt(read, jumped_at=renderer.jumped_at, moved_at=renderer.moved_at, sample_rate=rate)
        samples = np.concatenate(monitor)[excerpt.start : excerpt.end]
        original, steered = measure_effect(samples, model, sample_rate=rate, peak=track.network_peak)
        effects.append([steered[name] - original[name] for name in EMOTIONS])
        seconds.append((excerpt.start / rate, excerpt.end / rate))
    return np.array(effects), seconds


def predicted(samples, rate, model, peak):
    mono = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE).astype(np.float32)
    emotions = predict_blocks([mono], model, scale=peak).emotions
    return np.array([emotions[name] for name in EMOTIONS])


def filed(track, analysis, model, gains_db, seconds, folder):
    """The effects on those seconds of the rendered file, [moments, 8], and on the whole file, [8]."""
    output = folder / "steered.wav"
    faders = Faders.from_mapping(gains_db)
    done = render(track, analysis, output, faders=faders, model=model, overwrite=True)
    whole = np.array([done.emotions["after"][name] - done.emotions["before"][name] for name in EMOTIONS])
    before, rate = soundfile.read(track.path, dtype="float32", always_2d=True)
    after, _ = soundfile.read(output, dtype="float32", always_2d=True)
    effects = []
    for start_s, end_s in seconds:
        part = slice(round(start_s * rate), round(end_s * rate))
        effects.append(
            predicted(after[part], rate, model, track.network_peak * 10 ** (done.gain_db / 20))
            - predicted(before[part], rate, model, track.network_peak)
        )
    return np.array(effects), whole


def agreement(shown, measured):
    """Share of equal signs where the measured effect is LEAST or more, and how many these are."""
    large = np.abs(measured) >= LEAST
    return float((np.sign(shown[large]) == np.sign(measured[large])).mean()), int(large.sum())


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--clips", type=int, default=3, help="of the research data, beside the demo")
    options.add_argument("--moments", type=float, nargs="+", default=[12.0, 16.0, 20.0])
    options.add_argument("--model", type=Path, default=None)
    asked = options.parse_args()
    torch.set_num_threads(1)
    found = sorted((DATA / "soundtracks" / "audio").glob("*.ogg"))
    long_enough = [path for path in found if soundfile.info(path).duration > max(asked.moments)]
    if asked.clips and not long_enough:
        raise SystemExit(f"no clips in {DATA / 'soundtracks' / 'audio'} (MOODFADER_DATA names their folder)")
    clips = [long_enough[i] for i in np.linspace(0, len(long_enough) - 1, asked.clips).round().astype(int)]
    model = load_model(asked.model)
    shown, same, whole, at_zero = [], [], [], 0.0
    with tempfile.TemporaryDirectory() as name:
        for path in (DEMO, *clips):
            track = load_track(path)
            analysis = analyze(track, model=model, settings=AnalysisSettings())
            zero, _ = displayed(track, analysis, model, {}, asked.moments)
            at_zero = max(at_zero, float(np.abs(zero).max()))
            for preset in available_presets():
                gains_db = find_preset(preset).gains_db
                effects, seconds = displayed(track, analysis, model, gains_db, asked.moments)
                in_file, on_all = filed(track, analysis, model, gains_db, seconds, Path(name))
                shown.append(effects)
                same.append(in_file)
                whole.append(np.broadcast_to(on_all, effects.shape))
                print(f"{path.stem} {preset}: {agreement(effects, in_file)}", flush=True)
    shown, same, whole = (np.concatenate(effects) for effects in (shown, same, whole))
    for text, measured in (("the same seconds of the file", same), ("the whole file", whole)):
        share, count = agreement(shown, measured)
        difference = np.abs(shown - measured).mean()
        print(f"sign equal to that on {text}: {share:.1%} of {count} effects >= {LEAST}, off by {difference:.4f}")
    print(f"largest effect displayed with all faders at zero: {at_zero:.5f}")


if __name__ == "__main__":
    main()
