"""A show that plays offline (helpers/offline_show.py)."""

import pytest
from helpers.offline_show import Stage


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A show of two tracks of noise."""
    return Stage(tmp_path, monkeypatch)
