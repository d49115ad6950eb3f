"""Old names of options that were renamed in 0.8: they still work, and no help text shows them."""

from typing import Final

RENAMED_OPTIONS: Final = {
    "passes": "evaluations",
    "known": "synthetic",
    "known-clips": "synthetic-clips",
    "test-known": "test-synthetic",
    "start": "init",
    "layer": "emotion-layer",
    "beside": "compare-with",
    "ahead": "render-ahead",
}
"""New name of an option by its old one, without the hyphens before it."""


def current_option(name: str) -> str:
    """The name that an option has today; click asks for each that is given."""
    return RENAMED_OPTIONS.get(name, name)
