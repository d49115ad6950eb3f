"""The real session, without a player: what the control surfaces set is remembered in the order in which it came."""

import pytest
from helpers.logged_session import LoggedSession


@pytest.fixture
def session():
    session = LoggedSession()
    yield session
    session.close()
