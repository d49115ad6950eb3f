"""How far faders and targets move the predictions of judges: excerpts of tracks, loudness matched, one jury.

Beside what a fader or a target moves at the network that ships, and at each judge, stand two yardsticks: a random
gain field of the same size, which should not move a judge in any direction, and the natural difference between
excerpts of different music, which a judge shares by its slope against the network. The random field is added and
taken away, as a fader goes up and down: a judge may predict less of a feature after any change of a sound, whichever
way it goes (`one_sided`), and what counts is the difference between the two ways.
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
class JudgedMove:
    """What one request on one track moves, at the network and at the judges.

    Attributes
    ----------
    kind
        "fader", "random" or "target".
    track
        Its number.
    name
        Of the feature or emotion.
    asked
        The shift (targets), or decibels (faders).
    own
        Change of the named output at the network that ships, positive if in the direction of `asked`.
    judges
        The same at each judge.
    others
        Mean size of the changes of the other six features at the network, all over the track (faders).
    rms_db, quality
        Root mean square of the gain field in dB; mean opinion score, None without Zimtohrli.
    listeners
        The same as `own` at the further listeners by name, where the fader was solved.
    confirmed
        Share of the own move that the analysis confirms; None where it has none.
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
    """The result of an evaluation.

    Attributes
    ----------
    judges
        Their names.
    moves
        Of all requests on all tracks.
    natural
        Predictions of the unchanged tracks by the network and the judges, [tracks, 1 + judges, 15].
    """

    judges: tuple[str, ...]
    moves: tuple[JudgedMove, ...]
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
    found: list[JudgedMove] = []
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

    def faders(self, *, coupled: bool) -> list[JudgedMove]:
        """Each fader at +-6 dB, and a random field of its size."""
        analysis = analyze_track(self._track, self._model, AnalysisSettings(coupled=coupled))
        labels = torch.from_numpy(analysis.mask_labels[: frame_count(len(self._sound))]).long()
        excerpts = placed_excerpts(self._track, spread_stretches(self._track))
        whole = SegmentExcerpts(excerpts, analysis.mask_labels, self._listeners[:1])
        excerpts = placed_excerpts(self._track, few_stretches(self._track))
        few = SegmentExcerpts(excerpts, analysis.mask_labels, self._listeners)
        names = [listener.name for listener in self._listeners[1:]]
        found = []
        for feature, name in enumerate(MIDLEVEL):
            for side, sign in enumerate((1.0, -1.0)):
                faders_db = np.where(np.arange(len(MIDLEVEL)) == feature, sign * FADER_DB, 0.0)
                gains = segment_gain_db(analysis.mask_weights, faders_db)
                gain_field = torch.from_numpy(gains)[labels]
                own = np.abs((whole.predict(gains) - whole.before)[0, : len(MIDLEVEL)])
                others = float(np.delete(own, feature).mean())
                move = self._judged("fader", name, sign * FADER_DB, gain_field, feature, others=others)
                moved = sign * (few.predict(gains) - few.before)[1:, feature]
                share = None if analysis.confirmed is None else float(analysis.confirmed[feature, side])
                found.append(replace(move, listeners=dict(zip(names, moved.tolist(), strict=True)), confirmed=share))
            # Both ways, as the fader: whatever changes a sound moves a judge a little to one side, which is no
            # answer to the fader, and cancels where the same field is added and taken away.
            noise = self._random_field(gain_field.shape, float((gain_field**2).mean().sqrt()))
            for sign in (1.0, -1.0):
                found.append(self._judged("random", name, sign * FADER_DB, sign * noise, feature))
        return found

    def targets(self) -> list[JudgedMove]:
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
            found.append(self._judged("target", name, asked, excerpts.fields_db(coefficients)[0], output))
        return found

    def _judged(
        self, kind: str, name: str, asked: float, field: torch.Tensor, output: int, *, others: float = 0.0
    ) -> JudgedMove:
        with torch.inference_mode():
            sound = self._path.filtered(field, matched=True).numpy()
        moved = (self._ask(sound) - self.before) * np.sign(asked)
        return JudgedMove(
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
        """Predictions of a sound by the network and the judges: [1 + judges, 15]."""
        with torch.inference_mode():
            own = self._listeners[0](self._path.front_end(torch.from_numpy(sound))).double().numpy()
        return np.stack([own, *(judge.predict(sound) for judge in self._judges)])

    def _random_field(self, shape: Sequence[int], rms_db: float) -> torch.Tensor:
        """A smooth random field [frames, bands] of a given root mean square in dB."""
        cells = torch.from_numpy(self._rng.normal(size=(1, 1, *_RANDOM_CELLS)).astype(np.float32))
        field = torch.nn.functional.interpolate(cells, size=tuple(shape), mode="bilinear")[0, 0]
        return field * (rms_db / field.square().mean().sqrt())


def one_sided(moves: Sequence[JudgedMove]) -> Floats:
    """Mean of what network and judges are moved by whichever way a field goes: [1 + judges]."""
    raw = np.array([(one.own, *one.judges) for one in moves]) * np.sign([one.asked for one in moves])[:, None]
    return np.asarray(raw.mean(0))


def shares(moves: Sequence[JudgedMove]) -> Mapping[str, Floats]:
    """Own [1], judges [judges] (mean moves), share [judges] (judges' mean by the network's) and signs [judges]."""
    own = np.array([one.own for one in moves])
    judged = np.array([one.judges for one in moves])
    return {
        "own": own.mean(keepdims=True),
        "judges": judged.mean(0),
        "share": judged.mean(0) / max(abs(float(own.mean())), 1e-9),
        "signs": (judged > 0).mean(0),
    }
