"""Checks of the options of `play` that need nothing opened."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.common.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..parameters.parameter import Value
    from ..saved_session.saved_show import SavedShow


def check_options(
    backend: str,
    block: int,
    ceiling: float,
    rate: int | None,
    channels: int | None,
    render_ahead: int | None,
    model: Path | None,
) -> None:
    """What can be told without opening anything. Raises InputError."""
    if model is not None and not model.is_file():
        raise InputError(f"{model}: no such model file")
    if render_ahead is not None and not 0 <= render_ahead <= 192_000:
        raise InputError(f"--render-ahead {render_ahead}: goes from 0 to 192000 samples")
    known = ("auto", "jack", "portaudio", "pyo", "null")
    if backend not in known:
        raise InputError(f"no back end is called {backend!r}: there are {', '.join(known)}")
    if not 32 <= block <= 8192:
        raise InputError(f"--block {block}: goes from 32 to 8192 samples")
    if not -20 <= ceiling <= 0:
        raise InputError(f"--ceiling {ceiling:g}: goes from -20 to 0 dBTP")
    if rate is not None and not 8_000 <= rate <= 192_000:
        raise InputError(f"--rate {rate}: goes from 8000 to 192000 Hz (in kHz?)")
    if channels is not None and not 1 <= channels <= 8:
        raise InputError(f"--channels {channels}: goes from 1 to 8")


def checked_controls(gains_db: "Mapping[str, float]", *, plays: bool) -> "dict[str, Value]":
    """What is set at the beginning, by address, in order: the faders, and whether it plays. Raises InputError."""
    from ..parameters.table import ROOT, find_parameter

    given: dict[str, Value] = {f"{ROOT}/midlevel/{name}": value for name, value in gains_db.items()}
    if plays:
        given[f"{ROOT}/transport/play"] = True
    return {address: find_parameter(address).validate(value) for address, value in given.items()}


def show_to_resume(files: Sequence[Path] | None) -> "SavedShow":
    """The show with which --resume goes on. Raises InputError if there is none, or one with other files is wanted."""
    from ..saved_session.keeper import show_file
    from ..saved_session.saved_show import read_show

    show = read_show(show_file())
    if show is None:
        raise InputError("--resume: no show has been kept yet")
    if files and [path.absolute() for path in files] != list(show.given):
        names = " ".join(path.name for path in show.given[:3]) + (" ..." if len(show.given) > 3 else "")
        raise InputError(f"--resume: the last show was another one ({names}); --resume alone goes on with it")
    if gone := next((path for path in (*show.given, *show.tracks) if not path.is_file()), None):
        raise InputError(f"--resume: {gone}: is not there any more")
    return show
