"""The terminal view: seven faders by keyboard, eight emotions before and now, meters, who is connected.

It reads the session ten times a second and only draws what changed; nothing of the sound waits for it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..session.parameters import ROOT, Value, find_parameter
from ..session.presets import available_presets
from .gain_map import GainMap
from .rows import State, emotion_rows, fader_rows, get_number, key_row, meter_rows, transport_rows

if TYPE_CHECKING:
    from ..session.session import Session

_REFRESH_S = 0.1
_MESSAGE_ROUNDS = 50
_TALL = 33


class Terminal(App[None]):
    """Shows a session and moves it, until q is pressed or `until` says that it is over."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; layout: vertical; }
    Static { height: auto; width: 100%; }
    Screen.-short #map { display: none; }
    Screen.-short.-map #map { display: block; }
    Screen.-short.-map #emotions { display: none; }
    #keys { dock: bottom; }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "select(-1)"),
        Binding("down,j", "select(1)"),
        Binding("left,h", "move(-0.5)"),
        Binding("right,l", "move(0.5)"),
        Binding("shift+left,H", "move(-3)"),
        Binding("shift+right,L", "move(3)"),
        Binding("0", "zero"),
        Binding("z", "zero_all"),
        Binding("space", "switch('transport/play')"),
        Binding("comma", "seek(-5)"),
        Binding("full_stop", "seek(5)"),
        Binding("b", "switch('bypass')"),
        Binding("d", "switch('delta')"),
        Binding("m", "switch('match_loudness')"),
        Binding("p", "preset(1)"),
        Binding("P", "preset(-1)"),
        Binding("minus,underscore", "shift('master', -1)"),
        Binding("plus,equals_sign", "shift('master', 1)"),
        Binding("w", "shift('wet', -0.1)"),
        Binding("W", "shift('wet', 0.1)"),
        Binding("left_square_bracket", "loop('loop_start')"),
        Binding("right_square_bracket", "loop('loop_end')"),
        Binding("backslash", "switch('transport/loop')"),
        Binding("n", "press('transport/next')"),
        Binding("N", "press('transport/previous')"),
        Binding("g", "map"),
        Binding("q,ctrl+c", "quit"),
    ]

    def __init__(
        self,
        session: "Session",
        *,
        track: Callable[[], str] = lambda: "",
        clients: Callable[[], Sequence[str]] = tuple,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """`track` names what plays, `clients` who is subscribed; both are asked at every refresh."""
        super().__init__()
        self._session, self._track, self._clients, self._until = session, track, clients, until
        self._selected = 0
        self._message, self._message_left = "", 0
        self._drawn: dict[str, Text] = {}
        self._map: tuple[tuple[Path, bool], GainMap | None] | None = None

    def compose(self) -> ComposeResult:
        """The panels and a line of keys."""
        for name in ("transport", "faders", "emotions", "map", "meters", "keys"):
            yield Static(id=name)

    def on_mount(self) -> None:
        """Begin to look at the session."""
        self.theme = "ansi-dark" if "ansi-dark" in self.available_themes else self.theme
        self.set_interval(_REFRESH_S, self.refresh_panels)
        self.call_after_refresh(self.refresh_panels)

    def on_resize(self) -> None:
        """Rows are as wide as the terminal; the map is for tall ones."""
        self.screen.set_class(self.size.height < _TALL, "-short")
        self.refresh_panels()

    def refresh_panels(self) -> None:
        """Draw what changed since the last time."""
        if self._until():
            self.exit()
            return
        self._message_left = max(self._message_left - 1, 0)
        state: State = self._session.state()
        width = max(self.size.width, 40)
        self._draw("transport", transport_rows(self._track(), state, width))
        self._draw("faders", fader_rows(state, self._selected, width))
        self._draw("emotions", emotion_rows(state, width))
        if self.size.height >= _TALL or self.screen.has_class("-map"):
            self._draw("map", self._map_rows(state, width))
        message = self._message if self._message_left else ""
        self._draw("meters", meter_rows(state, self._clients(), message, width))
        self._draw("keys", key_row(width))

    def _draw(self, panel: str, rows: Text) -> None:
        if self._drawn.get(panel) != rows or self._drawn[panel].spans != rows.spans:
            self._drawn[panel] = rows
            self.query_one(f"#{panel}", Static).update(rows)

    def _map_rows(self, state: State, width: int) -> Text:
        """The gain map of the track that plays, once it has been analysed."""
        track = self._session.meters.track if self._session.meters else 0
        heard = self._session.heard.get(track)
        if heard is None:
            return Text("  the gain map comes with the analysis", style="bright_black")
        picture = self._session.pictures.get(track)
        wanted = heard.analysis, picture is not None
        if self._map is None or self._map[0] != wanted:
            try:
                self._map = wanted, GainMap(heard.analysis, picture)
            except InputError as error:
                self._map = wanted, None
                self._message, self._message_left = str(error), _MESSAGE_ROUNDS
        faders_db = np.array([get_number(state, f"midlevel/{name}") for name in MIDLEVEL], np.float32)
        gain_map = self._map[1]
        return (
            Text()
            if gain_map is None
            else gain_map.render_text(get_number(state, "transport/position"), faders_db, width)
        )

    def _set(self, address: str, value: Value) -> None:
        try:
            self._session.set(f"{ROOT}/{address}", value, source="terminal")
        except InputError as error:
            self._message, self._message_left = str(error), _MESSAGE_ROUNDS
        self.refresh_panels()

    def action_shift(self, address: str, by: float) -> None:
        """Move a number by so much, within its range."""
        control = find_parameter(f"{ROOT}/{address}")
        value = round(get_number(self._session.state(), address) + by, 6)
        if control.low is not None:
            value = max(value, control.low)
        if control.high is not None:
            value = min(value, control.high)
        self._set(address, value)

    def action_select(self, by: int) -> None:
        """Go to another fader."""
        self._selected = (self._selected + by) % len(MIDLEVEL)
        self.refresh_panels()

    def action_move(self, by: float) -> None:
        """Move the selected fader by so many dB."""
        self.action_shift(f"midlevel/{MIDLEVEL[self._selected]}", by)

    def action_zero(self) -> None:
        """The selected fader to 0 dB."""
        self._set(f"midlevel/{MIDLEVEL[self._selected]}", 0.0)

    def action_zero_all(self) -> None:
        """All faders to 0 dB."""
        for name in MIDLEVEL:
            self._set(f"midlevel/{name}", 0.0)

    def action_switch(self, address: str) -> None:
        """Turn a switch."""
        self._set(address, not self._session.get(f"{ROOT}/{address}"))

    def action_press(self, address: str) -> None:
        """Press a button."""
        self._set(address, True)

    def action_map(self) -> None:
        """In a terminal that is not tall enough for both: the gain map in the place of the emotions, and back."""
        self.screen.toggle_class("-map")
        self.refresh_panels()

    def action_seek(self, by: float) -> None:
        """Go back or on by so many seconds."""
        state = self._session.state()
        aim = get_number(state, "transport/position") + by
        self._set("transport/seek", min(max(aim, 0.0), get_number(state, "transport/duration")))

    def action_loop(self, edge: str) -> None:
        """One end of the loop is where it plays now."""
        self._set(f"transport/{edge}", get_number(self._session.state(), "transport/position"))

    def action_preset(self, by: int) -> None:
        """The next preset of the list, or the one before."""
        names = list(available_presets())
        now = self._session.get(f"{ROOT}/preset/load")
        at = names.index(now) + by if isinstance(now, str) and now in names else min(by, 0)
        self._message, self._message_left = f"preset {names[at % len(names)]}", _MESSAGE_ROUNDS
        self._set("preset/load", names[at % len(names)])
