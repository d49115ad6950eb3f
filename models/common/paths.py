"""The cache, configuration, state and data folders, and the environment variables that override them."""

import contextlib
import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_state_path


def cache_dir() -> Path:
    """Return the cache folder: MOODFADER_CACHE, or the platform's. It need not exist."""
    return _named("MOODFADER_CACHE") or user_cache_path("moodfader")


def config_dir() -> Path:
    """Return the configuration folder: MOODFADER_CONFIG, or the platform's. It need not exist."""
    return _named("MOODFADER_CONFIG") or user_config_path("moodfader")


def state_dir() -> Path:
    """Return the folder of what a running show keeps: MOODFADER_STATE, or the platform's. It need not exist."""
    return _named("MOODFADER_STATE") or user_state_path("moodfader")


def data_dir() -> Path:
    """Return the folder of the data sets for training and evaluation: MOODFADER_DATA, or ../shared/data."""
    return _named("MOODFADER_DATA") or Path("../shared/data")


def _named(variable: str) -> Path | None:
    """The folder that an environment variable names; `~` is the home folder, as files of variables have it."""
    value = os.environ.get(variable)
    if not value:
        return None
    with contextlib.suppress(RuntimeError):  # (no home folder is known)
        return Path(value).expanduser()
    return Path(value)
