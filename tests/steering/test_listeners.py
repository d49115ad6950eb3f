"""The linear listeners: what their statistics say, and that faders move all listeners, not the network alone."""

import numpy as np
import pytest
import soundfile
import torch
from moodfader.engine import load_track
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.excerpts.stretches import placed_excerpts, spread_stretches
from moodfader.engine.steering.faders.segment_excerpts import SegmentExcerpts
from moodfader.engine.steering.listeners import LinearListener, own_listeners, shape_statistics
from moodfader.models.common.constants import MIDLEVEL, N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.inference.checkpoint import load_model

_REGIONS = 24


def picture(tilt: float = 0.0, louder: float = 1.0) -> torch.Tensor:
    """A log-spectrogram of noise, with a tilt over the bands, so many times as loud."""
    magnitude = torch.from_numpy(np.random.default_rng(0).uniform(1, 2, (100, N_BANDS))).float()
    return torch.log10(1 + louder * magnitude * torch.pow(10.0, tilt * torch.linspace(-1, 1, N_BANDS)))


def test_shape_of_a_spectrum_is_the_same_louder() -> None:
    plain, louder = shape_statistics(picture()), shape_statistics(picture(louder=3.0))
    level = 2 * _REGIONS + 12
    torch.testing.assert_close(plain[:level], louder[:level], atol=2e-3, rtol=0)
    assert float(louder[level] - plain[level]) == pytest.approx(np.log10(3), abs=0.01)


def test_a_tilt_shows_in_the_shape_as_a_tilt() -> None:
    moved = (shape_statistics(picture(0.2)) - shape_statistics(picture()))[:_REGIONS]
    expected = 0.2 * torch.linspace(-1, 1, _REGIONS)
    torch.testing.assert_close(moved, expected, atol=0.03, rtol=0)


def test_statistics_of_silence_have_slopes() -> None:
    silence = torch.zeros(50, N_BANDS, requires_grad=True)
    shape_statistics(silence).sum().backward()
    assert silence.grad is not None
    assert torch.isfinite(silence.grad).all()


def test_missing_weights_are_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors.*shape listener"):
        LinearListener("shape", shape_statistics, tmp_path / "none.safetensors")


def test_a_fader_moves_most_listeners_the_way_it_goes(tmp_path) -> None:
    """At +6 and at -6 dB, of the demonstration track: mostly three of the four further listeners or more."""
    from importlib.resources import files

    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32", frames=6 * 44100)
    soundfile.write(tmp_path / "demo.wav", 0.4 * sound, rate, subtype="FLOAT")
    track = load_track(tmp_path / "demo.wav")
    model = load_model()
    analysis = analyze_track(track, model, AnalysisSettings())
    assert analysis.selected is not None
    listeners = own_listeners(model)
    excerpts = SegmentExcerpts(placed_excerpts(track, spread_stretches(track)), analysis.mask_labels, listeners)
    with_it = {}
    for name, masks in (("decoupled", analysis.mask_weights), ("coupled", np.tile(analysis.explained_masks, (1, 2)))):
        moved = np.zeros((2, len(MIDLEVEL), len(listeners)))
        for feature in range(len(MIDLEVEL)):
            for side, sign in enumerate((1.0, -1.0)):
                gains = np.float32(6 * sign) * masks[:, feature + side * len(MIDLEVEL)]
                moved[side, feature] = sign * (excerpts.predict(gains) - excerpts.before)[:, feature]
        assert (moved[..., 0] > 0).mean() > 0.9, name
        with_it[name] = (moved[..., 1:] > 0).sum(-1) >= 3
    assert with_it["decoupled"].mean() >= 0.85
    assert with_it["decoupled"].mean() > with_it["coupled"].mean()
