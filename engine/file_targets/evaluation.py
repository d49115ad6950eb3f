"""Do judges hear what faders and targets move? Excerpts of tracks, loudness matched, judges of one jury.

Beside what a fader or a target moves at the network that ships, and at each judge, stand two yardsticks: a random
gain field of the same size, of which a judge should hear nothing in particular, and the natural difference between
excerpts of different music, of which a judge hears the share given by its slope against the network. The random field
is asked as a fader is, added and taken away: a judge may say less of a feature after any change of a sound, whichever
way it goes (`one_sided`), and what a fader moves is the difference between its two ways.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.filterbank import frame_count
from ...models.inference.checkpoint import Model
from ...models.jury.judges import Judge
from ..analysis.analyze_track import analyze_track
from ..analysis.settings import AnalysisSettings
from ..audio.track import Track
from ..dsp.segment_mask import segment_gain_db
from ..excerpts.stretches import EXCERPT_S, few_stretches, placed_excerpts, read_excerpts, spread_stretches
from ..steering.faders.segment_excerpts import SegmentExcerpts
from ..steering.gain_path import GainPath
from ..steering.handle_excerpts import HandleExcerpts
from ..steering.listeners import Listener, own_listeners
from .quality import quality_of, within_quality
from .targets import Targets, solve_targets

FADER_DB: Final = 6.0
ASKED: Final = (0.05, 0.1)
_RANDOM_CELLS: Final = (6, 9)


@dataclass(frozen=True)
class Heard:
    """One request on one track.

    kind: "fader", "random" or "target"; name: of the feature or emotion; asked: the
    shift (targets) or decibels (faders); own: what the network that ships moves, per sign of what was asked;
    judges: the same at each judge; others: mean size of what the other six features move, all over
    the track (faders); rms_db and quality of the field; listeners: by name, what the further listeners move where
    the fader was solved; confirmed: the share of its move that the analysis confirms (None: it says nothing of it).
    """

    kind: str
    track: int
    name: str
    asked: float
    own: float
    judges: tuple[float, ...]
    others: float
    rms_db: float
    quality: float | None
    listeners: Mapping[str, float] = field(default_factory=dict)
    confirmed: float | None = None


@dataclass(frozen=True)
class SteeringEvidence:
    """heard: all requests; natural [tracks, 1 + judges, 15]: what network and judges say of the tracks unchanged."""

    judges: tuple[str, ...]
    heard: tuple[Heard, ...]
    natural: Floats


def evaluate_steering(
    tracks: Sequence[Track],
    model: Model,
    judges: Sequence[Judge],
    *,
    coupled: bool = False,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> SteeringEvidence:
    """Ask network and judges about the first ten seconds of each track under several gain fields.

    Its faders at +-6 dB, random fields of the same size, and each emotion asked by +-.05 or +-.10 (whichever sign has
    room).
    """
    rng = np.random.default_rng(seed)
    listeners = own_listeners(model)
    found: list[Heard] = []
    natural = []
    for number, track in enumerate(tracks):
        bench = _Bench(track, number, model, listeners, judges, rng)
        natural.append(bench.before)
        found += bench.faders(coupled=coupled)
        if progress:
            progress((number + 0.5) / len(tracks))
        found += bench.targets()
        if progress:
            progress((number + 1) / len(tracks))
    return SteeringEvidence(tuple(judge.name for judge in judges), tuple(found), np.stack(natural))


class _Bench:
    """One track's excerpt, and who is asked of it."""

    def __init__(
        self,
        track: Track,
        number: int,
        model: Model,
        listeners: Sequence[Listener],
        judges: Sequence[Judge],
        rng: np.random.Generator,
    ) -> None:
        """Read it; the first listener is the network that ships."""
        self._track, self._number, self._model = track, number, model
        self._listeners, self._judges, self._rng = listeners, judges, rng
        self._length_s = min(EXCERPT_S, track.duration_s)
        (self._sound,) = read_excerpts(track, [(0.0, self._length_s)])
        self._path = GainPath(self._sound)
        self.before = self._ask(self._sound)

    def faders(self, *, coupled: bool) -> list[Heard]:
        """Each fader at +-6 dB, and a random field of its size."""
        analysis = analyze_track(self._track, self._model, AnalysisSettings(coupled=coupled))
        labels = torch.from_numpy(analysis.segments[: frame_count(len(self._sound))]).long()
        excerpts = placed_excerpts(self._track, spread_stretches(self._track))
        whole = SegmentExcerpts(excerpts, analysis.segments, self._listeners[:1])
        excerpts = placed_excerpts(self._track, few_stretches(self._track))
        few = SegmentExcerpts(excerpts, analysis.segments, self._listeners)
        names = [listener.name for listener in self._listeners[1:]]
        found = []
        for feature, name in enumerate(MIDLEVEL):
            for side, sign in enumerate((1.0, -1.0)):
                faders_db = np.where(np.arange(len(MIDLEVEL)) == feature, sign * FADER_DB, 0.0)
                gains = segment_gain_db(analysis.mask_weights, faders_db)
                gain_field = torch.from_numpy(gains)[labels]
                own = np.abs((whole.predict(gains) - whole.before)[0, : len(MIDLEVEL)])
                others = float(np.delete(own, feature).mean())
                heard = self._heard("fader", name, sign * FADER_DB, gain_field, feature, others=others)
                moved = sign * (few.predict(gains) - few.before)[1:, feature]
                share = None if analysis.confirmed is None else float(analysis.confirmed[feature, side])
                found.append(replace(heard, listeners=dict(zip(names, moved.tolist(), strict=True)), confirmed=share))
            # Both ways, as the fader: whatever changes a sound moves a judge a little to one side, which is no
            # answer to the fader, and cancels where the same field is added and taken away.
            noise = self._random_field(gain_field.shape, float((gain_field**2).mean().sqrt()))
            for sign in (1.0, -1.0):
                found.append(self._heard("random", name, sign * FADER_DB, sign * noise, feature))
        return found

    def targets(self) -> list[Heard]:
        """Each emotion, asked by one of ASKED in turn, up or down by chance where both have room."""
        found = []
        for place, name in enumerate(EMOTIONS):
            output = len(MIDLEVEL) + place
            now = self.before[0, output]
            sign = float(self._rng.choice([-1.0, 1.0]))
            sign = 1.0 if now < 0.2 else -1.0 if now > 0.8 else sign
            asked = sign * ASKED[(place + self._number) % len(ASKED)]
            targets = Targets({name: asked})
            excerpts = HandleExcerpts([self._sound], self._listeners)
            coefficients, _ = within_quality(excerpts, [self._sound], solve_targets(excerpts, targets).coefficients)
            found.append(self._heard("target", name, asked, excerpts.fields_db(coefficients)[0], output))
        return found

    def _heard(
        self, kind: str, name: str, asked: float, field: torch.Tensor, output: int, *, others: float = 0.0
    ) -> Heard:
        with torch.inference_mode():
            sound = self._path.filtered(field, matched=True).numpy()
        moved = (self._ask(sound) - self.before) * np.sign(asked)
        return Heard(
            kind=kind,
            track=self._number,
            name=name,
            asked=asked,
            own=float(moved[0, output]),
            judges=tuple(moved[1:, output].tolist()),
            others=others,
            rms_db=float((field**2).mean().sqrt()),
            quality=quality_of([self._sound], [sound]),
        )

    def _ask(self, sound: FloatArray) -> Floats:
        """What the network and the judges say of a sound: [1 + judges, 15]."""
        with torch.inference_mode():
            own = self._listeners[0](self._path.front_end(torch.from_numpy(sound))).double().numpy()
        return np.stack([own, *(judge.hear(sound) for judge in self._judges)])

    def _random_field(self, shape: Sequence[int], rms_db: float) -> torch.Tensor:
        """A smooth random field [frames, bands] of a given root mean square in dB."""
        cells = torch.from_numpy(self._rng.normal(size=(1, 1, *_RANDOM_CELLS)).astype(np.float32))
        field = torch.nn.functional.interpolate(cells, size=tuple(shape), mode="bilinear")[0, 0]
        return field * (rms_db / field.square().mean().sqrt())


def one_sided(heard: Sequence[Heard]) -> Floats:
    """Mean of what network and judges are moved by whichever way a field goes: [1 + judges]."""
    raw = np.array([(one.own, *one.judges) for one in heard]) * np.sign([one.asked for one in heard])[:, None]
    return np.asarray(raw.mean(0))


def shares(heard: Sequence[Heard]) -> Mapping[str, Floats]:
    """Own [1], judges [judges] (mean moves), share [judges] (judges' mean by the network's) and signs [judges]."""
    own = np.array([one.own for one in heard])
    judged = np.array([one.judges for one in heard])
    return {
        "own": own.mean(keepdims=True),
        "judges": judged.mean(0),
        "share": judged.mean(0) / max(abs(float(own.mean())), 1e-9),
        "signs": (judged > 0).mean(0),
    }
