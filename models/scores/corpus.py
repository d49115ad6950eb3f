"""Real scores from music21's corpus, as notes by voice and bar with the key of each bar.

A bounded list of pieces (chorales, quartets, renaissance polyphony, fiddle tunes) is read once each by music21
(Cuthbert & Ariza, ISMIR 2010) and kept as small JSON files in the user's cache folder (MOODFADER_CACHE, else the
system's). Works are divided once and for all into `train` and `test` by a hash of their name, so that scores exist
which nothing was trained on.
"""

import importlib
import json
import warnings
import zlib
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..common.atomic_write import atomic_write
from ..common.errors import InputError
from ..common.paths import cache_dir
from .key_tracking import track_keys

KINDS: Final = {
    "chorale": (("bach/bwv",), ".mxl", 160),
    "quartet": (("haydn/", "mozart/", "beethoven/opus18", "beethoven/opus59", "schumann_robert/opus41"), ".mxl", 45),
    "polyphony": (("palestrina/", "monteverdi/"), "", 60),
    "tune": (("ryansMammoth/",), ".abc", 120),
}
"""For each kind: where its pieces lie in the corpus, their suffix, and how many of them are taken."""
TEST_SHARE: Final = 5
MOST_BARS: Final = 96
LEAST_BARS: Final = 4
_VERSION: Final = 2


ScoreNote = tuple[int, float, float, int]


@dataclass(frozen=True)
class Score:
    """Bars of equal length, `meter` beats each. `voices` from the highest down, each of notes [bar, place, length,
    pitch]: place and length in beats, pitch as MIDI number. `tonics` and `minor` say the key of each bar.
    """

    name: str
    kind: str
    meter: int
    voices: list[list[ScoreNote]]
    tonics: list[int]
    minor: list[bool]


def list_scores(part: str) -> dict[str, list[str]]:
    """Names of the scores by kind: those of the `train` or of the `test` part. Raises InputError."""
    if part not in ("train", "test"):
        raise InputError(f"{part}: the scores are divided into train and test")
    wanted = part == "test"
    return {kind: [n for n in names if _is_test(n) == wanted] for kind, names in _index().items()}


def read_score(name: str, kind: str) -> Score | None:
    """A score by its name, from the cache or else from music21's corpus; None where it has too few equal bars.

    Raises InputError when music21 is missing and the score is not in the cache.
    """
    path = _folder() / f"{name.replace('/', '_')}.json"
    if not path.is_file():
        score = _parsed(name, kind)
        _keep(path, asdict(score) if score else None)
        return score
    stored = json.loads(path.read_text())
    if stored is None:
        return None
    return Score(**{**stored, "voices": [[tuple(note) for note in voice] for voice in stored["voices"]]})


def _is_test(name: str) -> bool:
    work = name.rsplit("/", 1)[0] if "movement" in name else name
    return zlib.crc32(work.encode()) % TEST_SHARE == 0


def _folder() -> Path:
    folder = cache_dir() / f"scores-{_VERSION}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot keep scores there ({error.strerror or error})") from error
    return folder


def _keep(path: Path, value: object) -> None:
    with atomic_write(path) as beside:
        beside.write_text(json.dumps(value, separators=(",", ":")))


def _music21(module: str) -> Any:  # noqa: ANN401  # music21 is untyped
    try:
        return importlib.import_module(f"music21.{module}")
    except ImportError:
        raise InputError("real scores need music21: pip install 'moodfader[scores]'") from None


def _index() -> dict[str, list[str]]:
    path = _folder() / "index.json"
    if path.is_file():
        index: dict[str, list[str]] = json.loads(path.read_text())
        return index
    paths = _music21("corpus").corpora.CoreCorpus().getPaths()
    names = sorted(p.as_posix().split("/corpus/")[-1] for p in paths if p.suffix != ".rntxt")
    index = {}
    for kind, (places, suffix, count) in KINDS.items():
        found = [name for name in names if name.startswith(places) and name.endswith(suffix)]
        # In the order of another hash: the same pieces everywhere, from all over the folder.
        index[kind] = sorted(sorted(found, key=lambda name: zlib.crc32(b"pick " + name.encode()))[:count])
    _keep(path, index)
    return index


def _parsed(name: str, kind: str) -> Score | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what an encoding lacks
        stream = _music21("corpus").parse(name)
    bars, meter, beat = _equal_bars(stream.parts[0])
    parts = [_within(_notes(part), bars, beat) for part in stream.parts]
    parts = [notes for notes in parts if len(notes) > 0.4 * len(bars)]
    if len(bars) - 1 < LEAST_BARS or not parts:
        return None
    parts.sort(key=lambda notes: -float(np.mean([pitch for *_, pitch in notes])))
    weights = np.zeros((len(bars) - 1, 12))
    for bar, _, length, pitch in (note for notes in parts for note in notes):
        weights[bar][pitch % 12] += min(length, meter)
    keys = track_keys(weights)
    return Score(name, kind, meter, parts[:5], [tonic for tonic, _ in keys], [minor for _, minor in keys])


def _notes(part: Any) -> list[list[float]]:  # noqa: ANN401
    """[onset, length, pitch] of a part in quarters, ties joined, of a chord its highest note."""
    notes: list[list[float]] = []
    for element in part.flatten().notes:
        if not getattr(element, "pitches", ()) or not element.quarterLength:
            continue  # chord symbols, grace notes
        pitch = max(p.midi for p in element.pitches)
        tied = element.tie is not None and element.tie.type in ("stop", "continue")
        if tied and notes and notes[-1][2] == pitch:
            notes[-1][1] += float(element.quarterLength)
        else:
            notes.append([float(element.offset), float(element.quarterLength), pitch])
    return notes


def _equal_bars(part: Any) -> tuple[list[float], int, float]:  # noqa: ANN401
    """The longest run of bars of one length: their lines in quarters, beats a bar, quarters a beat."""
    signature = next(iter(part.recurse().getElementsByClass("TimeSignature")), None)
    lines = [float(measure.offset) for measure in part.getElementsByClass("Measure")]
    if signature is None or len(lines) < LEAST_BARS:
        return [0.0], 4, 1.0
    meter, beat = int(signature.beatCount), float(signature.beatDuration.quarterLength)
    if meter == 1:
        meter, beat = 3, beat / 3
    length, best, run = meter * beat, [lines[0]], [lines[0]]
    for line, following in pairwise(lines):
        run = [*run, following] if abs(following - line - length) < 1e-3 else [following]
        best = max(best, run, key=len)
    return best[: MOST_BARS + 1], meter, beat


def _within(notes: list[list[float]], bars: list[float], beat: float) -> list[ScoreNote]:
    kept = []
    for onset, length, pitch in notes:
        bar = int(np.searchsorted(bars, onset + 1e-6)) - 1
        if 0 <= bar < len(bars) - 1:
            kept.append((bar, round((onset - bars[bar]) / beat, 4), round(length / beat, 4), int(pitch)))
    return kept
