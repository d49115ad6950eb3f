"""Folders of the user's: cache, configuration and research data; environment variables name others."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path


def cache_dir() -> Path:
    """The platform's cache folder of the program, or MOODFADER_CACHE."""
    named = os.environ.get("MOODFADER_CACHE")
    return Path(named) if named else user_cache_path("moodfader")


def config_dir() -> Path:
    """The platform's configuration folder of the program, or MOODFADER_CONFIG."""
    named = os.environ.get("MOODFADER_CONFIG")
    return Path(named) if named else user_config_path("moodfader")


def data_dir() -> Path:
    """The folder of research data to train and evaluate with: MOODFADER_DATA, or ../shared/data."""
    return Path(os.environ.get("MOODFADER_DATA", "../shared/data"))
