"""FluidSynth's library, held open: a sound font stays loaded from one piece to the next.

Each piece is played by a synthesiser of its own (made in a millisecond), so that no reverberation, chorus or
sounding note of one piece is left in another; only the font and the samples it has loaded are shared. The C
interface is that of FluidSynth 2.2 and later (https://www.fluidsynth.org/api/).
"""

import ctypes
import io
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import mido
import numpy as np

from ..common.errors import InputError

LIBRARIES: Final = (
    "libfluidsynth.so.3", "libfluidsynth.3.dylib", "/opt/homebrew/lib/libfluidsynth.dylib",
    "/usr/local/lib/libfluidsynth.dylib", "libfluidsynth-3.dll",
)  # fmt: skip
BLOCK: Final = 4096
POLYPHONY: Final = 80
"""Voices at once. What a piece has beyond them are tails of notes that ended, and they cost most of the time."""
_POINTER, _TEXT, _INT, _REAL = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_double
_SIGNATURES: Final = {
    "new_fluid_settings": (_POINTER, ()),
    "delete_fluid_settings": (None, (_POINTER,)),
    "fluid_settings_setnum": (_INT, (_POINTER, _TEXT, _REAL)),
    "fluid_settings_setint": (_INT, (_POINTER, _TEXT, _INT)),
    "fluid_set_log_function": (_POINTER, (_INT, _POINTER, _POINTER)),
    "new_fluid_synth": (_POINTER, (_POINTER,)),
    "delete_fluid_synth": (None, (_POINTER,)),
    "fluid_synth_sfload": (_INT, (_POINTER, _TEXT, _INT)),
    "fluid_synth_get_sfont_by_id": (_POINTER, (_POINTER, _INT)),
    "fluid_synth_add_sfont": (_INT, (_POINTER, _POINTER)),
    "fluid_synth_remove_sfont": (_INT, (_POINTER, _POINTER)),
    "fluid_synth_pin_preset": (_INT, (_POINTER, _INT, _INT, _INT)),
    "fluid_synth_write_float": (_INT, (_POINTER, _INT, _POINTER, _INT, _INT, _POINTER, _INT, _INT)),
    "new_fluid_player": (_POINTER, (_POINTER,)),
    "delete_fluid_player": (None, (_POINTER,)),
    "fluid_player_add_mem": (_INT, (_POINTER, _TEXT, ctypes.c_size_t)),
    "fluid_player_play": (_INT, (_POINTER,)),
}


def load_library() -> ctypes.CDLL:
    """The library with its functions declared. Raises InputError when it is missing or too old."""
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        for function, (result, arguments) in _SIGNATURES.items():
            if not hasattr(library, function):
                raise InputError(f"{name}: FluidSynth older than 2.2 ({function} is missing)")
            getattr(library, function).restype = result
            getattr(library, function).argtypes = list(arguments)
        for level in range(5):
            library.fluid_set_log_function(level, None, None)
        return library
    raise InputError("FluidSynth's library is missing: install the Debian package fluidsynth")


class Synthesizer:
    """One sound font, loaded as its sounds are needed. Not for two threads at once.

    Raises InputError when FluidSynth is missing or cannot read the font.
    """

    def __init__(self, soundfont: Path) -> None:
        self._library = load_library()
        settings = self._settings({"synth.dynamic-sample-loading": 1})
        self._keeper = self._library.new_fluid_synth(settings)
        self._close = weakref.finalize(self, _delete, self._library, self._keeper, settings)
        self._id: int = self._library.fluid_synth_sfload(self._keeper, str(soundfont).encode(), 0)
        if self._id < 0:
            raise InputError(f"{soundfont}: FluidSynth could not read it (damaged? no sound font?)")
        self._font = self._library.fluid_synth_get_sfont_by_id(self._keeper, self._id)

    def render(self, midi: mido.MidiFile, samples: int, settings: Mapping[str, float]) -> np.ndarray:
        """Play a MIDI file for a number of `samples`: float32 [samples, 2]. `settings` by FluidSynth's names.

        Same file and settings, same samples.
        """
        library, sound = self._library, np.zeros((samples, 2), np.float32)
        self._pin(midi)
        held = self._settings(settings)
        synth = library.new_fluid_synth(held)
        library.fluid_synth_add_sfont(synth, self._font)
        player = library.new_fluid_player(synth)
        buffer = io.BytesIO()
        midi.save(file=buffer)
        library.fluid_player_add_mem(player, buffer.getvalue(), len(buffer.getvalue()))
        library.fluid_player_play(player)
        for start in range(0, samples, BLOCK):
            place = sound[start:].ctypes.data
            library.fluid_synth_write_float(synth, min(BLOCK, samples - start), place, 0, 2, place, 1, 2)
        library.delete_fluid_player(player)
        library.fluid_synth_remove_sfont(synth, self._font)
        _delete(library, synth, held)
        return sound

    def _pin(self, midi: mido.MidiFile) -> None:
        """Keep the samples of a piece's sounds for those that follow; a font without one takes another sound."""
        used = {(128, 0), (0, 0)}
        for track in midi.tracks:
            used |= {(0, message.program) for message in track if message.type == "program_change"}
        for bank, program in sorted(used):
            self._library.fluid_synth_pin_preset(self._keeper, self._id, bank, program)

    def _settings(self, values: Mapping[str, float]) -> ctypes.c_void_p:
        settings: ctypes.c_void_p = self._library.new_fluid_settings()
        for name, value in values.items():
            put = (
                self._library.fluid_settings_setint if isinstance(value, int) else self._library.fluid_settings_setnum
            )
            put(settings, name.encode(), value)
        return settings


def _delete(library: ctypes.CDLL, synth: ctypes.c_void_p, settings: ctypes.c_void_p) -> None:
    library.delete_fluid_synth(synth)
    library.delete_fluid_settings(settings)
