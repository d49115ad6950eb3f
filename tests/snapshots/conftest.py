"""A show that plays offline (helpers/offline_show.py)."""

import pytest
from helpers.offline_show import SteeredShow


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A show of two tracks of noise."""
    return SteeredShow(tmp_path, monkeypatch)
