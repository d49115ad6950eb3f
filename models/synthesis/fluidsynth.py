"""Binding of FluidSynth's C library (2.2 or later, https://www.fluidsynth.org/api/) that keeps a sound font loaded.

Each piece is played by a synthesiser of its own (created in a millisecond), so that no reverberation, chorus or
sounding note of one piece is left in another; only the font and its loaded samples are shared.
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
"""Samples rendered per call."""
POLYPHONY: Final = 80
"""Maximum number of voices. Beyond it only the tails of released notes are cut, which would take most of the time."""
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
    """Load FluidSynth's library and declare its functions.

    Returns
    -------
    ctypes.CDLL
        The library, with its log output switched off.

    Raises
    ------
    InputError
        The library is missing or older than 2.2.
    """
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
    """A loaded sound font and the renderer that plays it. Not thread-safe.

    Samples are loaded when a piece first needs them.

    Parameters
    ----------
    soundfont
        An SF2 or SF3 file.

    Raises
    ------
    InputError
        FluidSynth is missing or cannot read the font.
    """

    def __init__(self, soundfont: Path) -> None:
        self._library = load_library()
        settings = self._settings({"synth.dynamic-sample-loading": 1})
        self._owner = self._library.new_fluid_synth(settings)  # owns the font; never plays
        self._close = weakref.finalize(self, _delete, self._library, self._owner, settings)
        self._id: int = self._library.fluid_synth_sfload(self._owner, str(soundfont).encode(), 0)
        if self._id < 0:
            raise InputError(f"{soundfont}: FluidSynth could not read it (damaged? no sound font?)")
        self._font = self._library.fluid_synth_get_sfont_by_id(self._owner, self._id)

    def render(self, midi: mido.MidiFile, samples: int, settings: Mapping[str, float]) -> np.ndarray:
        """Render a MIDI file.

        Parameters
        ----------
        midi
            The file.
        samples
            Length of the result.
        settings
            FluidSynth settings by name, the sample rate among them.

        Returns
        -------
        numpy.ndarray
            float32 [samples, 2], the same for the same file and settings. May exceed 1.
        """
        library, audio = self._library, np.zeros((samples, 2), np.float32)
        self._pin(midi)
        fluid_settings = self._settings(settings)
        synth = library.new_fluid_synth(fluid_settings)
        library.fluid_synth_add_sfont(synth, self._font)
        player = library.new_fluid_player(synth)
        buffer = io.BytesIO()
        midi.save(file=buffer)
        library.fluid_player_add_mem(player, buffer.getvalue(), len(buffer.getvalue()))
        library.fluid_player_play(player)
        for start in range(0, samples, BLOCK):
            address = audio[start:].ctypes.data
            library.fluid_synth_write_float(synth, min(BLOCK, samples - start), address, 0, 2, address, 1, 2)
        library.delete_fluid_player(player)
        library.fluid_synth_remove_sfont(synth, self._font)
        _delete(library, synth, fluid_settings)
        return audio

    def _pin(self, midi: mido.MidiFile) -> None:
        """Keep the samples of the programs of a piece in memory; a program that the font lacks is replaced by it."""
        used = {(128, 0), (0, 0)}
        for track in midi.tracks:
            used |= {(0, message.program) for message in track if message.type == "program_change"}
        for bank, program in sorted(used):
            self._library.fluid_synth_pin_preset(self._owner, self._id, bank, program)

    def _settings(self, values: Mapping[str, float]) -> ctypes.c_void_p:
        """Create a settings object of the library; it is the caller's to delete."""
        settings: ctypes.c_void_p = self._library.new_fluid_settings()
        for name, value in values.items():
            setter = (
                self._library.fluid_settings_setint if isinstance(value, int) else self._library.fluid_settings_setnum
            )
            setter(settings, name.encode(), value)
        return settings


def _delete(library: ctypes.CDLL, synth: ctypes.c_void_p, settings: ctypes.c_void_p) -> None:
    """Delete a synthesiser and then its settings."""
    library.delete_fluid_synth(synth)
    library.delete_fluid_settings(settings)
