"""Optional parts of the package: which of its extras has the library that an import did not find.

`pip install moodfader` brings what predict, analyze and render need. What plays live, draws, trains and so on is an
extra, and a library that is missing is told with the name of the extra to install.
"""

import importlib.util
from typing import Final

MODULES_OF_EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "plot": ("matplotlib", "jinja2"),
    "live": ("pyo", "textual", "jack", "zeroconf", "supriya_midi"),
    "web": ("starlette", "uvicorn", "websockets", "segno"),
    "train": ("music21", "mido"),
    "judges": ("librosa",),
    "quality": ("zimtohrli",),
    "batch": ("fsspec", "s3fs", "pyarrow", "distributed"),
}
"""Top-level modules that each extra installs."""


def missing_extra(error: ModuleNotFoundError) -> str | None:
    """One line that says which extra to install, or None if the missing module belongs to none."""
    module = (error.name or "").split(".")[0]
    extras = [extra for extra, modules in MODULES_OF_EXTRAS.items() if module in modules]
    if not extras:
        return None
    names = " or ".join(f"pip install 'moodfader[{extra}]'" for extra in extras)
    return f"this needs {module}, which is not installed: {names}"


def require(*modules: str) -> None:
    """See that modules of an extra can be imported, before long work begins.

    Raises ModuleNotFoundError, whose text names the extra to install.
    """
    for module in modules:
        try:
            found = importlib.util.find_spec(module) is not None
        except ValueError:  # (sys.modules holds None for it: it must not be imported)
            found = False
        if not found:
            error = ModuleNotFoundError(name=module)
            raise ModuleNotFoundError(missing_extra(error), name=module)
