"""The cache, configuration, state and data folders, and the environment variables that override them."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_state_path


def cache_dir() -> Path:
    """Return the cache folder: MOODFADER_CACHE, or the platform's. It need not exist."""
    override = os.environ.get("MOODFADER_CACHE")
    return Path(override) if override else user_cache_path("moodfader")


def config_dir() -> Path:
    """Return the configuration folder: MOODFADER_CONFIG, or the platform's. It need not exist."""
    override = os.environ.get("MOODFADER_CONFIG")
    return Path(override) if override else user_config_path("moodfader")


def state_dir() -> Path:
    """Return the folder of what a running show keeps: MOODFADER_STATE, or the platform's. It need not exist."""
    override = os.environ.get("MOODFADER_STATE")
    return Path(override) if override else user_state_path("moodfader")


def data_dir() -> Path:
    """Return the folder of the data sets for training and evaluation: MOODFADER_DATA, or ../shared/data."""
    return Path(os.environ.get("MOODFADER_DATA", "../shared/data"))
