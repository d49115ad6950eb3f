"""Actions of the keys of the terminal view. An exception in one of them becomes a message."""

from typing import TYPE_CHECKING, Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ..parameters.table import ROOT, Value, find_parameter
from ..session.presets import available_presets
from .keymap import Binding
from .panels.palette import PALETTES, Palette, terminal_palette

if TYPE_CHECKING:
    from ..session.session import Session

_SOURCE: Final = "terminal"
_QUESTION: Final = "quit? y: yes, any other key: no"
_LONGEST_TEXT: Final = 64
_QUESTION_RECORDING: Final = "recording: end it and quit? y: yes, any other key: no"


class KeyActions:
    """Acts on a session by key, and holds the state of the view.

    Parameters
    ----------
    session : Session
        What is controlled.
    palette : Palette, optional
        Colours; those that suit the terminal, if None.

    Attributes
    ----------
    selected : int
        Index of the selected fader.
    message : str
        What the last key has to say; empty for nothing.
    palette : Palette
        Colours.
    show_map, show_targets : bool
        Whether the gain map has the place of the effects, and targets that of the faders.
    page : str
        What stands in the place of all panels: "help", "tracks", "address"; empty: nothing.
    tracks : int
        Number of tracks of the set list.
    question : str
        What waits for an answer by `y`; empty for nothing.
    quit_now : bool
        Whether the view is to end.
    """

    def __init__(self, session: "Session", palette: Palette | None = None) -> None:
        self._session = session
        self.selected = 0
        self.message = ""
        self.palette = terminal_palette() if palette is None else palette
        self.show_map = self.quit_now = False
        self.page, self.tracks, self.selected_track = "", 0, 0
        self.question = ""
        self._asked, self._asked_for, self._text = "", "", ""  # the address that a text is for, in words; the text
        self.show_targets = False
        self._awaited = ""  # the address that the next digit is for

    def perform(self, binding: Binding) -> None:
        """Call the action of a key. While a question is open, `quit` means yes and every other key no."""
        asked, self.question, self.message = self.question, "", ""
        if binding.action != "digit":
            self._awaited = ""
        try:
            if asked and binding.action == "quit":
                self.quit_now = True
            elif asked:
                self.message = "not ended"
            else:
                getattr(self, binding.action)(*binding.arguments)
        except InputError as error:
            self.message = str(error)
        except Exception as error:  # (a show goes on, whatever a key finds)
            self.message = f"{binding.action}: {type(error).__name__}: {error}"

    @property
    def is_typing(self) -> bool:
        """Whether a text is being written, so that keys are letters."""
        return bool(self._asked)

    @property
    def shown_message(self) -> str:
        """What there is to say: the question, the text that is being written, or the answer to the last key."""
        if self.is_typing:
            return f"{self._asked_for}: {self._text}▌ (enter: done, escape: not)"
        return self.question or self.message

    def type_key(self, key: str, character: str) -> None:
        """A key while a text is being written."""
        if key == "escape":
            self._asked, self.message = "", "left as it was"
        elif key == "enter":
            address, self._asked = self._asked, ""
            try:
                self._set(address, self._text)
                self.message = f"{self._asked_for} {self._text}: done"
            except InputError as error:
                self.message = str(error)
        elif key == "backspace":
            self._text = self._text[:-1]
        elif character.isprintable() and len(self._text) < _LONGEST_TEXT:
            self._text += character

    def ask_text(self, address: str, words: str) -> None:
        """Let a text be written for an address."""
        self._asked, self._asked_for, self._text = address, words, ""

    def answer(self, character: str) -> bool:
        """Answer the open question with a character; returns whether there was one."""
        if not self.question:
            return False
        self.quit_now = character in ("y", "Y")
        self.question, self.message = "", "" if self.quit_now else "not ended"
        return True

    def select(self, by: int) -> None:
        """Select the fader (or emotion, or track) so many places below."""
        if self.page == "tracks":
            self.selected_track = min(max(self.selected_track + int(by), 0), max(self.tracks - 1, 0))
            return
        self.selected = (self.selected + int(by)) % len(EMOTIONS if self.show_targets else MIDLEVEL)

    def move(self, by_db: float) -> None:
        """Move the selected fader by so many dB; a target by a fiftieth of that (.01 or .06)."""
        self.shift(self._selected_address, by_db / 50 if self.show_targets else by_db)

    @property
    def _selected_address(self) -> str:
        return f"target/{EMOTIONS[self.selected]}" if self.show_targets else f"midlevel/{MIDLEVEL[self.selected]}"

    def shift(self, address: str, by: float) -> None:
        """Move a number by so much, within its range."""
        control = find_parameter(f"{ROOT}/{address}")
        now = self._session.get(control.address)
        value = round((float(now) if isinstance(now, int | float) else 0.0) + by, 6)
        if control.low is not None:
            value = max(value, control.low)
        if control.high is not None:
            value = min(value, control.high)
        self._set(address, value)

    def zero(self) -> None:
        """The selected fader to 0 dB; the selected emotion is kept as it is."""
        self._set(self._selected_address, 0.0)

    def zero_all(self) -> None:
        """All faders to 0 dB at once, as the OSC address does."""
        self._set("zero", True)

    def switch(self, address: str) -> None:
        """Toggle a switch."""
        self._set(address, not self._session.get(f"{ROOT}/{address}"))

    def press(self, address: str) -> None:
        """Set off a trigger."""
        self._set(address, True)

    def seek(self, by_s: float) -> None:
        """Go so many seconds forward; quick presses add up."""
        self._set("transport/skip", by_s)

    def loop(self, edge: str) -> None:
        """Put one end of the loop to the playing position."""
        position = self._session.get(f"{ROOT}/transport/position")
        self._set(f"transport/{edge}", position)

    def preset(self, by: int) -> None:
        """The next preset of the list, or the one before; one that cannot be loaded is passed over and named."""
        names = list(available_presets())
        loaded = self._session.get(f"{ROOT}/preset/load")
        at = names.index(loaded) if isinstance(loaded, str) and loaded in names else (-1 if by > 0 else 0)
        skipped = []
        for _ in names:
            at = (at + int(by)) % len(names)
            try:
                self._set("preset/load", names[at])
            except Exception as error:  # (whatever is wrong with one, the others can be had)
                skipped.append(str(error))
                continue
            self.message = "; ".join([f"preset {names[at]}", *(f"skipped {text}" for text in skipped)])
            return
        raise InputError("; ".join(skipped) if skipped else "there are no presets")

    def digit(self, number: int) -> None:
        """Recall a snapshot, or what the key before asked a number for."""
        address, self._awaited = self._awaited or "snapshot/recall", ""
        self._set(address, int(number))
        name = self._session.get(f"{ROOT}/snapshot/names/{int(number)}")
        shown = f" {name}" if address.startswith(("snapshot", "morph")) and name != str(number) else ""
        self.message = f"{address.replace('/', ' ')} {int(number)}{shown}"

    def await_digit(self, address: str) -> None:
        """Let the next digit be for an address."""
        self._awaited = address
        self.message = f"{address.replace('/', ' ')}: 1 to 9"

    def toggle_targets(self) -> None:
        """The targets of the emotions in the place of the faders; and back."""
        self.show_targets = not self.show_targets
        self.selected = min(self.selected, len(MIDLEVEL) - 1)

    def let_go(self) -> None:
        """Let the target of the selected emotion go."""
        if self.show_targets:
            self._set(f"target/{EMOTIONS[self.selected]}", None)

    def toggle_page(self, page: str) -> None:
        """Show a page (keys, set list, address) in the place of the panels; and back."""
        self.page = "" if self.page == page else page
        now = self._session.get(f"{ROOT}/transport/track")
        self.selected_track = int(now) if isinstance(now, int | float) else 0

    def choose(self) -> None:
        """Go to the selected track of the set list."""
        if self.page == "tracks":
            self._set("transport/track", self.selected_track)

    def toggle_track_preset(self) -> None:
        """Let the track that plays begin with the preset that was loaded last; and not any more."""
        held, loaded = (str(self._session.get(f"{ROOT}/{name}") or "") for name in ("track/preset", "preset/load"))
        if not held and not loaded:
            raise InputError("load a preset first (p): this track will then begin with it")
        self._set("track/preset", "" if held else loaded)
        self.message = "this track begins as it is" if held else f"this track begins with preset {loaded}"

    def toggle_map(self) -> None:
        """The gain map in the place of the effects, where there is no room for both; and back."""
        self.show_map = not self.show_map

    def next_palette(self) -> None:
        """Go to the next palette."""
        at = PALETTES.index(self.palette) if self.palette in PALETTES else -1
        self.palette = PALETTES[(at + 1) % len(PALETTES)]
        self.message = self.palette.name

    def ask_to_quit(self) -> None:
        """Ask before the view ends."""
        recording = self._session.get(f"{ROOT}/state/recording")
        self.question = _QUESTION_RECORDING if recording else _QUESTION

    def quit(self) -> None:
        """End the view; ask once while the performance is being recorded."""
        if self._session.get(f"{ROOT}/state/recording"):
            self.question = _QUESTION_RECORDING
        else:
            self.quit_now = True

    def _set(self, address: str, value: Value) -> None:
        self._session.set(f"{ROOT}/{address}", value, source=_SOURCE)
