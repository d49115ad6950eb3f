"""Scores from the corpus of music21 (Cuthbert & Ariza, ISMIR 2010): notes by voice and bar, with the key of each bar.

Up to 385 scores of four kinds (chorales, string quartets, renaissance polyphony, fiddle tunes) are parsed by music21
once and cached as small JSON files in the cache folder (MOODFADER_CACHE, or the system's). A hash of a work's name
assigns it to the `train` or the `test` part, so that test scores stay unseen in training.
"""

import contextlib
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
"""For each kind: path prefixes in the corpus, file suffix, and maximum number of scores."""
TEST_ONE_IN: Final = 5
"""One work in so many belongs to the test part."""
MAX_BARS: Final = 96
MIN_BARS: Final = 4
_VERSION: Final = 2  # of the cache files

ScoreNote = tuple[int, float, float, int]
"""A note of a score: index of its bar, onset within the bar in beats, length in beats, MIDI number."""


@dataclass(frozen=True)
class Score:
    """A score whose bars have equal length.

    Attributes
    ----------
    name
        Path in music21's corpus.
    kind
        A key of KINDS.
    meter
        Beats per bar.
    voices
        At most five, the highest first; each a list of notes (bar, onset in the bar, length, MIDI number), in beats.
    tonics
        Tonic of each bar as pitch class, 0..11.
    minor
        Whether the key of each bar is minor.
    """

    name: str
    kind: str
    meter: int
    voices: list[list[ScoreNote]]
    tonics: list[int]
    minor: list[bool]


def list_scores(part: str) -> dict[str, list[str]]:
    """List the scores of a part of the corpus.

    Parameters
    ----------
    part
        "train" or "test".

    Returns
    -------
    dict of str to list of str
        Names by kind, in alphabetical order.

    Raises
    ------
    InputError
        `part` is neither, music21 is missing, or the cache folder cannot be written to.
    """
    if part not in ("train", "test"):
        raise InputError(f"{part}: the scores are divided into train and test")
    test = part == "test"
    return {kind: [n for n in names if _is_test(n) == test] for kind, names in _index().items()}


def read_score(name: str, kind: str) -> Score | None:
    """Read a score from the cache, or parse it with music21 and cache it.

    Parameters
    ----------
    name
        Path in music21's corpus.
    kind
        A key of KINDS.

    Returns
    -------
    Score or None
        None where the score has fewer than four consecutive bars of equal length, or no voice with enough notes.

    Raises
    ------
    InputError
        The score is not cached and music21 is missing, or the cache folder cannot be written to.
    """
    path = _cache_folder() / f"{name.replace('/', '_')}.json"
    if path.is_file():
        with contextlib.suppress(*_DAMAGED):  # (it is read from the score again)
            stored = json.loads(path.read_text())
            if stored is None:
                return None
            return Score(**{**stored, "voices": [[tuple(note) for note in voice] for voice in stored["voices"]]})
    score = _parse(name, kind)
    _write_json(path, asdict(score) if score else None)
    return score


_DAMAGED: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What a damaged file of the cache raises."""


def _is_test(name: str) -> bool:
    """Whether a score belongs to the test part; the movements of a work all do or all do not."""
    work = name.rsplit("/", 1)[0] if "movement" in name else name
    return zlib.crc32(work.encode()) % TEST_ONE_IN == 0


def _cache_folder() -> Path:
    folder = cache_dir() / f"scores-{_VERSION}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: scores cannot be cached there ({error.strerror or error})") from error
    return folder


def _write_json(path: Path, value: object) -> None:
    with atomic_write(path) as temp_path:
        temp_path.write_text(json.dumps(value, separators=(",", ":")))


def _music21(module: str) -> Any:  # noqa: ANN401  # music21 is untyped
    try:
        return importlib.import_module(f"music21.{module}")
    except ImportError:
        raise InputError("real scores need music21: pip install 'moodfader[scores]'") from None


def _index() -> dict[str, list[str]]:
    """The names of all scores that are used, by kind."""
    path = _cache_folder() / "index.json"
    if path.is_file():
        with contextlib.suppress(*_DAMAGED):
            index: dict[str, list[str]] = json.loads(path.read_text())
            if set(index) == set(KINDS):
                return index
    paths = _music21("corpus").corpora.CoreCorpus().getPaths()
    names = sorted(p.as_posix().split("/corpus/")[-1] for p in paths if p.suffix != ".rntxt")
    index = {}
    for kind, (prefixes, suffix, count) in KINDS.items():
        candidates = [name for name in names if name.startswith(prefixes) and name.endswith(suffix)]
        # A sample in the order of a hash: the same scores on every machine, from the whole folder.
        index[kind] = sorted(sorted(candidates, key=lambda name: zlib.crc32(b"pick " + name.encode()))[:count])
    _write_json(path, index)
    return index


def _parse(name: str, kind: str) -> Score | None:
    """Parse a score with music21; None where it has too few bars of equal length or notes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # music21 warns of incomplete encodings
        stream = _music21("corpus").parse(name)
    bars, meter, beat = _equal_bars(stream.parts[0])
    parts = [_by_bar(_notes(part), bars, beat) for part in stream.parts]
    parts = [notes for notes in parts if len(notes) > 0.4 * len(bars)]
    if len(bars) - 1 < MIN_BARS or not parts:
        return None
    parts.sort(key=lambda notes: -float(np.mean([pitch for *_, pitch in notes])))
    weights = np.zeros((len(bars) - 1, 12))
    for bar, _, length, pitch in (note for notes in parts for note in notes):
        weights[bar][pitch % 12] += min(length, meter)
    keys = track_keys(weights)
    return Score(name, kind, meter, parts[:5], [tonic for tonic, _ in keys], [minor for _, minor in keys])


def _notes(part: Any) -> list[list[float]]:  # noqa: ANN401
    """Notes [onset, length, pitch] of a part in quarter notes; ties are joined, a chord gives its highest note."""
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
    """The longest run of bars of one length: bar lines in quarter notes, beats per bar, quarter notes per beat."""
    signature = next(iter(part.recurse().getElementsByClass("TimeSignature")), None)
    lines = [float(measure.offset) for measure in part.getElementsByClass("Measure")]
    if signature is None or len(lines) < MIN_BARS:
        return [0.0], 4, 1.0
    meter, beat = int(signature.beatCount), float(signature.beatDuration.quarterLength)
    if meter == 1:
        meter, beat = 3, beat / 3
    length, best, run = meter * beat, [lines[0]], [lines[0]]
    for line, next_line in pairwise(lines):
        run = [*run, next_line] if abs(next_line - line - length) < 1e-3 else [next_line]
        best = max(best, run, key=len)
    return best[: MAX_BARS + 1], meter, beat


def _by_bar(notes: list[list[float]], bars: list[float], beat: float) -> list[ScoreNote]:
    """Notes in quarter notes to notes in beats within their bars; those outside of the bars are left out."""
    score_notes = []
    for onset, length, pitch in notes:
        bar = int(np.searchsorted(bars, onset + 1e-6)) - 1
        if 0 <= bar < len(bars) - 1:
            score_notes.append((bar, round((onset - bars[bar]) / beat, 4), round(length / beat, 4), int(pitch)))
    return score_notes
