"""Instrumentation: General MIDI palettes by style, and a random ensemble drawn from one of them.

Every palette has sustained and short sounds for each role. Articulation selects between the two, dissonance may
replace a soft sound by a harsh one. Style, register, panning and reverb are drawn from the seed and do not depend on
the parameters.
"""

from dataclasses import dataclass

import numpy as np

from .midi_parts import named_rng


@dataclass(frozen=True)
class Palette:
    """The General MIDI programs (from 0) of one style, by role; a program named twice is drawn twice as often.

    Attributes
    ----------
    lead_held, chord_held, bass_held
        Sustained sounds.
    lead_short, chord_short, bass_short
        Plucked, struck or tongued sounds.
    harsh
        Replacements for any role where dissonance is high.
    kit
        Drum notes of the percussion layers, lowest first; empty where the style has no drums.
    """

    lead_held: tuple[int, ...]
    lead_short: tuple[int, ...]
    chord_held: tuple[int, ...]
    chord_short: tuple[int, ...]
    bass_held: tuple[int, ...]
    bass_short: tuple[int, ...]
    harsh: tuple[int, ...]
    kit: tuple[int, ...]


PALETTES: dict[str, Palette] = {
    "orchestra": Palette(
        (40, 48, 68, 73, 71, 60, 42, 56, 52, 41), (45, 46, 73, 71, 68, 40, 48, 9, 12, 0, 56),
        (48, 49, 52, 60, 61, 48, 19, 50), (45, 48, 46, 61, 0, 68, 70), (43, 42, 48, 58, 57),
        (45, 43, 47, 70, 48, 0), (61, 44, 62, 30, 56), (36, 41, 45),
    ),
    "strings": Palette(
        (40, 41, 42, 48), (45, 40, 48), (48, 49, 44, 42), (45, 48, 40), (43, 42), (45, 43), (44, 40, 110), (),
    ),
    "winds": Palette(
        (73, 68, 71, 72, 75, 69), (73, 68, 71, 70, 75), (71, 60, 69, 68, 23), (70, 71, 60, 68), (70, 58, 57),
        (70, 58), (109, 111, 56, 65), (),
    ),
    "piano": Palette((0, 1, 0, 4), (0, 1, 3, 0), (0, 1, 0, 5), (0, 1, 3, 0), (0, 1), (0, 1), (3, 6, 7), ()),
    "guitars": Palette(
        (24, 40, 73, 21, 22), (24, 25, 46, 105, 13), (24, 25, 48, 21), (24, 25, 28, 46), (32, 43), (32, 45),
        (29, 106, 104), (),
    ),
    "band": Palette(
        (81, 65, 66, 80, 27, 40), (26, 28, 11, 4, 0, 27), (16, 48, 4, 89, 18), (27, 28, 0, 4, 62, 7),
        (33, 35, 38),
        (33, 34, 36, 39), (29, 30, 30, 84), (36, 38, 42),
    ),
    "electronic": Palette(
        (89, 91, 80, 85, 52, 53, 79), (98, 10, 11, 88, 108, 80), (88, 89, 90, 91, 94, 95, 50, 54),
        (98, 5, 62, 80, 96, 11), (38, 39, 50, 87), (38, 39, 33, 36), (81, 84, 87, 30, 101), (36, 42, 46),
    ),
    "choir": Palette(
        (52, 53, 85, 40, 73), (52, 46, 14, 9, 0), (52, 53, 19, 91, 48), (52, 0, 46, 19), (19, 43, 52),
        (47, 43, 0), (44, 61, 19), (36, 41),
    ),
}  # fmt: skip
WEIGHTS = (0.36, 0.1, 0.08, 0.12, 0.08, 0.12, 0.08, 0.06)
"""Probabilities of the styles, in the order of PALETTES."""
STRUCK_LAYERS = (47, 116, 117, 115, 12, 13, 45, 108, 114, 118, 11)
"""Programs of percussion layers: timpani, taiko, tom, woodblock, marimba, xylophone, pizzicato and others."""


@dataclass(frozen=True)
class Ensemble:
    """The instruments of one piece and their settings.

    Attributes
    ----------
    style
        Name of the palette.
    lead, chord, second_chord, bass, cluster, texture
        General MIDI programs by role.
    layers
        General MIDI programs of five percussion layers.
    kit
        Drum notes of the first percussion layers.
    lead_centre, chord_centre, bass_centre
        Registers, as MIDI numbers.
    reverb, chorus
        MIDI controller values, 0..127.
    pans
        Pan positions of twelve parts, 0..127.
    """

    style: str
    lead: int
    chord: int
    second_chord: int
    bass: int
    cluster: int
    texture: int
    layers: tuple[int, ...]
    kit: tuple[int, ...]
    lead_centre: int
    chord_centre: int
    bass_centre: int
    reverb: int
    chorus: int
    pans: tuple[int, ...]


def draw_ensemble(*, articulation: float, dissonance: float, seed: int) -> Ensemble:
    """Draw the ensemble of a piece.

    Parameters
    ----------
    articulation
        0..1; the higher, the more roles get a short sound.
    dissonance
        0..1; the higher, the more roles get a harsh sound.
    seed
        Seed of the piece. The parameters above only choose among the sounds drawn for each role.
    """
    rng = named_rng(seed, "orchestration")
    style = str(rng.choice(list(PALETTES), p=WEIGHTS))
    palette = PALETTES[style]

    def pick(sustained_programs: tuple[int, ...], short_programs: tuple[int, ...], harshness: float) -> int:
        sustained, short, harsh = (
            int(rng.choice(programs)) for programs in (sustained_programs, short_programs, palette.harsh)
        )
        short_at, harsh_at = rng.uniform(0.1, 0.9), rng.uniform(0.25, 1.6)
        if dissonance * harshness > harsh_at:
            return harsh
        return short if articulation > short_at else sustained

    return Ensemble(
        style=style,
        lead=pick(palette.lead_held, palette.lead_short, 0.45),
        chord=pick(palette.chord_held, palette.chord_short, 1.0),
        second_chord=pick(palette.chord_held, palette.chord_short, 1.0),
        bass=pick(palette.bass_held, palette.bass_short, 0.5),
        cluster=pick(palette.chord_held, palette.chord_short, 1.6),
        texture=pick(palette.chord_held, palette.chord_short, 0.6),
        layers=tuple(int(p) for p in rng.choice(STRUCK_LAYERS, 5, replace=False)),
        kit=palette.kit,
        lead_centre=int(rng.integers(65, 80)),
        chord_centre=int(rng.integers(50, 65)),
        bass_centre=int(rng.integers(33, 46)),
        reverb=int(rng.integers(10, 90)),
        chorus=int(rng.choice([0, 0, 10, 30, 60])),
        pans=tuple(int(p) for p in np.clip(rng.normal(64, 20, 12), 10, 118)),
    )
