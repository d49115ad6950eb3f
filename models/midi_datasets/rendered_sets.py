"""Excerpts of rated MIDI files as sound files, each in other instruments, rooms and recording chains."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import mido
import numpy as np
import soundfile

from ..common.atomic_write import atomic_write, make_folder
from ..common.constants import SAMPLE_RATE
from ..composition.midi_parts import Note, named_rng
from ..datasets.table import Clip, find_file, parse_rating, read_rows
from ..synthesis.labelled_music import CLIP_SECONDS, clip_seed, draw_soundfont, rendered_excerpt
from ..synthesis.midi_render import find_soundfont, require_fluidsynth
from .instrumentation import cut_excerpt, set_for_instruments
from .midi_notes import NoteTrack, read_note_tracks

VERSION: Final = 1
"""Part of the names of rendered files: another one when the same seed gives other music."""
MIN_NOTES: Final = 12
"""Notes of an excerpt, if the piece has one with as many."""
_CANDIDATES: Final = 8

Setting = Callable[["MidiPiece", Sequence[NoteTrack], float, float, int], mido.MidiFile]
"""Makes the music of an excerpt from piece, tracks, start, length in seconds, and seed."""


@dataclass(frozen=True)
class MidiPiece:
    """A MIDI file with ratings.

    Attributes
    ----------
    path
        The file.
    group
        Game, song or album; never split between training and testing.
    ratings
        As in `Clip`.
    stretch_s
        Start and end in seconds of what the ratings are of; None for the whole file.
    weight
        What an error in the ratings counts.
    bpm
        Tempo in beats a minute, if it is known.
    """

    path: Path
    group: str
    ratings: dict[str, float] = field(default_factory=dict)
    stretch_s: tuple[float, float] | None = None
    weight: float = 1.0
    bpm: float | None = None


def pieces_from_table(table: Path, data_set: str, group_of: Callable[[Path], str]) -> list[MidiPiece]:
    """Read pieces from a table with the columns file, group, valence and energy (0..1).

    Parameters
    ----------
    table
        The table; its files are named from its folder.
    data_set
        Name that the ratings begin with.
    group_of
        Gives the group of a file whose row names none.

    Raises
    ------
    InputError
        The table cannot be read, a file is missing or a rating is none.
    """
    pieces = []
    for row in read_rows(table):
        path = find_file(table, row, kind="MIDI")
        ratings = {
            f"{data_set}_{name}": parse_rating(row, name, table, row.line, top=1.0) for name in ("valence", "energy")
        }
        pieces.append(MidiPiece(path, row.get("group", "").strip() or group_of(path), ratings))
    return pieces


def excerpt_start(tracks: Sequence[NoteTrack], stretch_s: tuple[float, float], seconds: float, seed: int) -> float:
    """Draw the start of an excerpt: of eight drawn, the first with `MIN_NOTES` notes, or that with most."""
    onsets = np.sort([note.start for track in tracks for note in track.notes])
    first, last = stretch_s[0], max(stretch_s[1] - seconds, stretch_s[0])
    starts = named_rng(seed, "excerpt").uniform(first, last, _CANDIDATES)
    counts = np.searchsorted(onsets, starts + seconds) - np.searchsorted(onsets, starts)
    enough = counts >= MIN_NOTES
    return float(starts[(enough if enough.any() else counts).argmax()])


def ensemble_setting(
    piece: MidiPiece, tracks: Sequence[NoteTrack], start_s: float, seconds: float, seed: int
) -> mido.MidiFile:
    """Set all tracks, as one piece of piano music, for a random ensemble (`Setting`)."""
    notes: list[Note] = [note for track in tracks for note in track.notes]
    return set_for_instruments(cut_excerpt(notes, start_s, seconds), seconds=seconds, seed=seed)


def rendered_clips(
    pieces: Sequence[MidiPiece],
    folder: Path,
    *,
    excerpts: int,
    seed: int,
    setting: Setting = ensemble_setting,
    soundfonts: Sequence[Path | str] = (),
    seconds: float = CLIP_SECONDS,
    workers: int = 2,
    progress: Callable[[float], None] | None = None,
) -> list[Clip]:
    """Render excerpts of pieces as FLAC files (mono, 22,050 Hz, 16 bit).

    What is there already is not rendered again, so an interrupted run is resumed.

    Parameters
    ----------
    pieces
        The pieces, by different file names or stretches.
    folder
        Created if necessary.
    excerpts
        How many of each piece, each at another place and in other instruments.
    seed
        Seed of the set: the same gives the same samples.
    setting
        Makes the music of an excerpt.
    soundfonts
        Paths or names to draw from; empty for the default one.
    seconds
        Length of each excerpt.
    workers
        Number of threads.
    progress
        Called with the fraction done, 0..1.

    Returns
    -------
    list of Clip
        With the ratings, groups and weights of their pieces.

    Raises
    ------
    InputError
        A file cannot be read, FluidSynth or a sound font is missing, or the folder cannot be written to.
    """
    require_fluidsynth()
    for soundfont in soundfonts or (None,):
        find_soundfont(soundfont)
    make_folder(folder)
    jobs = [
        (piece, clip_seed(seed, index * 1000 + take), folder / _file_name(piece, index, take, seed))
        for index, piece in enumerate(pieces)
        for take in range(excerpts)
    ]

    def render(job: tuple[MidiPiece, int, Path]) -> None:
        piece, clip, path = job
        if path.is_file():
            return
        tracks = read_note_tracks(piece.path)
        end = max(note.start + note.duration for track in tracks for note in track.notes)
        start = excerpt_start(tracks, piece.stretch_s or (0.0, end), seconds, clip)
        midi = setting(piece, tracks, start, seconds, clip)
        samples = rendered_excerpt(midi, seed=clip, soundfont=str(draw_soundfont(soundfonts, clip)))
        with atomic_write(path) as temp_path:
            soundfile.write(temp_path, samples, SAMPLE_RATE, subtype="PCM_16")

    pool = ThreadPoolExecutor(workers)
    try:
        _follow(pool.map(render, jobs), len(jobs), progress)
    finally:
        pool.shutdown(cancel_futures=True)
    return [Clip(path, piece.group, dict(piece.ratings), weight=piece.weight) for piece, _, path in jobs]


def _file_name(piece: MidiPiece, index: int, take: int, seed: int) -> str:
    return f"{piece.path.stem}_{index:04d}_{take}_{seed}v{VERSION}.flac"


def _follow(done: Iterable[None], count: int, progress: Callable[[float], None] | None) -> None:
    for finished, _ in enumerate(done, start=1):
        if progress:
            progress(finished / count)
