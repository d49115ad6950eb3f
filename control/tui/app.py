"""The terminal view: seven faders by keyboard, what they do to eight emotions, meters, who is connected.

It is drawn ten times a second, and at once when somebody has moved a control: then without a new gain map, which
takes longer than all else together and follows with the next of the ten. Only lines that changed are sent. Nothing of
the sound waits for it.
"""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from rich.segment import Segment
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding as TextualBinding
from textual.events import Key as KeyEvent
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..parameters.table import PARAMETERS, ROOT
from .actions import KeyActions
from .keymap import KEYMAP
from .layout import compose
from .panels.cells import printable, to_plain
from .panels.gain_map import GainMap
from .panels.palette import Palette
from .panels.view_state import ViewState
from .terminal_driver import HangUpSafeDriver

if TYPE_CHECKING:
    from ..session.session import Session

_BINDINGS: Final = [binding for group in KEYMAP for binding in group.bindings]
_REFRESH_S: Final = 0.1
_SETTABLE: Final = frozenset(parameter.address for parameter in PARAMETERS if parameter.writable)
_MESSAGE_REFRESHES: Final = 50
_HOLD_REFRESHES: Final = 20


class LineView(Widget):
    """A widget that fills the terminal with lines of text, drawn for its size; lines are sent where they changed.

    Parameters
    ----------
    draw : callable
        Gives the lines for a width and a height in cells.
    """

    DEFAULT_CSS = "LineView { width: 1fr; height: 1fr; background: ansi_default; color: ansi_default; }"

    def __init__(self, draw: Callable[[int, int], list[Text]]) -> None:
        super().__init__()
        self._draw = draw
        self._lines: list[Text] = []
        self._drawn_for = (0, 0)

    def update_lines(self) -> None:
        """Draw, and refresh the lines that differ."""
        before, size_before = self._lines, self._drawn_for
        self._redraw()
        if self._drawn_for != size_before:
            self.refresh()
            return
        width = self._drawn_for[0]
        changed = [
            Region(0, y, width, 1)
            for y, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if old.plain != new.plain or old.spans != new.spans
        ]
        if changed:
            self.refresh(*changed)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.update_lines()

    def render_line(self, y: int) -> Strip:
        """One line at the present size, even if the terminal was resized since the last update."""
        if self._drawn_for != (self.size.width, self.size.height):
            self._redraw()
        if y >= len(self._lines):
            return Strip.blank(self.size.width)
        segments = self._lines[y].render(self.app.console)
        encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"  # (where textual writes to)
        plain = (Segment(to_plain(segment.text, encoding), segment.style) for segment in segments)
        return Strip(plain, self.size.width)

    def _redraw(self) -> None:
        self._drawn_for = self.size.width, self.size.height
        self._lines = self._draw(*self._drawn_for)


class Terminal(App[None]):
    """Shows a session and acts on it by keys, until the user quits or `until` gives True.

    Parameters
    ----------
    session : Session
        What is shown and controlled.
    track, clients, notes : callable
        What plays, the OSC clients that are subscribed, and the notes since the start; called at every refresh.
    titles : sequence of str
        The set list.
    url : str
        Address of the web page; empty: there is none.
    until : callable
        Whether the view is to end; called at every refresh.
    palette : Palette, optional
        Colours; those that suit the terminal, if None.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: ansi_default; color: ansi_default; }"
    BINDINGS: ClassVar = [
        TextualBinding(binding.keys, f"press_key({index})", priority=True) for index, binding in enumerate(_BINDINGS)
    ]

    def __init__(
        self,
        session: "Session",
        *,
        track: Callable[[], str] = lambda: "",
        titles: Sequence[str] = (),
        url: str = "",
        clients: Callable[[], Sequence[str]] = tuple,
        notes: Callable[[], Sequence[str]] = tuple,
        until: Callable[[], bool] = lambda: False,
        palette: Palette | None = None,
    ) -> None:
        self._actions = KeyActions(session, palette)  # (before textual takes NO_COLOR out of its environment)
        super().__init__(driver_class=HangUpSafeDriver, ansi_color=True)
        self._session, self._track, self._clients = session, track, clients
        self._notes, self._until = notes, until
        self._titles, self._url = tuple(titles), url
        self._actions.tracks = len(self._titles)
        self._refreshes_left = 0
        self._failure = ""
        self._news = False  # a change waits to be drawn
        self._stop_watching: Callable[[], None] | None = None
        self._keep_map = False
        self._map_rows_drawn: tuple[tuple[object, ...], list[Text]] = (), []
        self._peaks_db: deque[tuple[float, ...]] = deque(maxlen=_HOLD_REFRESHES)
        self._map: tuple[tuple[Path, bool], GainMap | None] | None = None

    def compose(self) -> ComposeResult:
        """One widget that has all lines."""
        yield LineView(self._lines)

    def on_mount(self) -> None:
        """Begin to refresh."""
        self.set_interval(_REFRESH_S, self._tick)
        loop = asyncio.get_running_loop()

        def notice(changed: Set[str]) -> None:
            """Draw at once where something was set, by whatever surface (and in whatever thread)."""
            if not self._news and not changed.isdisjoint(_SETTABLE):
                self._news = True
                with contextlib.suppress(RuntimeError):  # (the view has ended)
                    loop.call_soon_threadsafe(self.call_next, self._draw_news)

        self._stop_watching = self._session.watch(notice)

    def on_unmount(self) -> None:
        """No longer look at the session."""
        if self._stop_watching is not None:
            self._stop_watching()

    def action_press_key(self, index: int) -> None:
        """Perform the binding of this index."""
        self._actions.perform(_BINDINGS[index])
        self._after_key()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys do nothing else while a text is being written."""
        return not (action == "press_key" and self._actions.is_typing)

    def on_key(self, event: KeyEvent) -> None:
        """Take any other key as a letter of a text, or as the answer to a question, if there is one."""
        if self._actions.is_typing:
            self._actions.type_key(event.key, event.character or "")
            self._after_key()
        elif self._actions.answer(event.character or ""):
            self._after_key()

    def _after_key(self) -> None:
        self._refreshes_left = _MESSAGE_REFRESHES
        if self._actions.quit_now:
            self.exit()
        self._update(keep_map=True)

    def _tick(self) -> None:
        driver = self._driver
        if self._until() or (isinstance(driver, HangUpSafeDriver) and driver.has_hung_up()):
            self.exit()
            return
        self._refreshes_left = max(self._refreshes_left - 1, 0)
        if not self._refreshes_left:
            self._actions.message = ""
        levels = (self._session.get(f"{ROOT}/meter/{name}_db") for name in ("peak", "left", "right"))
        self._peaks_db.append(tuple(float(one) if isinstance(one, int | float) else -120.0 for one in levels))
        self._update()

    def _draw_news(self) -> None:
        self._news = False
        self._update(keep_map=True)

    def _update(self, *, keep_map: bool = False) -> None:
        self._keep_map = keep_map
        for view in self.query(LineView):
            view.update_lines()
        self._keep_map = False

    def _lines(self, width: int, height: int) -> list[Text]:
        """The lines for this size. A fault in drawing is shown in their place: a show does not end by it."""
        actions = self._actions
        holds = [max(levels) for levels in zip(*self._peaks_db, strict=True)] or [None, None, None]
        peak, left, right = holds
        try:
            view = ViewState(
                values=self._session.state(),
                title=printable(self._track()),
                selected=actions.selected_track if actions.page == "tracks" else actions.selected,
                page=actions.page,
                titles=self._titles,
                url=self._url,
                show_targets=actions.show_targets,
                clients=[printable(name) for name in self._clients()],
                notes=[printable(note) for note in self._notes()],
                message=printable(actions.shown_message or self._failure),
                peak_hold_db=peak,
                channel_holds_db=None if left is None or right is None else (left, right),
            )
            return compose(
                view,
                width,
                height,
                actions.palette,
                map_rows=lambda columns, lines: self._map_rows(view, columns, lines),
                map_wanted=actions.show_map,
            )
        except Exception as error:
            text = f"the view could not be drawn ({type(error).__name__}: {error}); the keys work on"
            return [Text(text[:width].ljust(width)), *(Text(" " * width) for _ in range(height - 1))][:height]

    def _map_rows(self, view: ViewState, width: int, height: int) -> list[Text]:
        """The gain map of the track that plays; the one drawn last if that is to do and has the size."""
        shape = width, height, self._actions.palette
        if not self._keep_map or self._map_rows_drawn[0] != shape:
            self._map_rows_drawn = shape, self._draw_map(view, width, height)
        return self._map_rows_drawn[1]

    def _draw_map(self, view: ViewState, width: int, height: int) -> list[Text]:
        """The gain map of the track that plays, once it has been analysed."""
        track = self._session.meters.track if self._session.meters else 0
        summary = self._session.track_summaries.get(track)
        if summary is None:
            return [Text("  the gain map comes with the analysis", self._actions.palette.quiet)]
        levels = self._session.thumbnails.get(track)
        wanted = summary.analysis, levels is not None
        if self._map is None or self._map[0] != wanted:
            self._failure = ""
            try:
                self._map = wanted, GainMap(summary.analysis, levels)
            except InputError as error:
                self._map = wanted, None
                self._failure = str(error)
        gain_map = self._map[1]
        if gain_map is None:
            return []
        faders_db = np.array([view.number(f"midlevel/{name}") for name in MIDLEVEL], np.float32)
        return gain_map.render_text(
            view.number("transport/position"), faders_db, width, height, self._actions.palette
        )
