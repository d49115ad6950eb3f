"""A fader that is moved on any surface of a running show is shown by every other one, by real clients of each."""

import itertools

import pytest

NAMES = ("osc", "liblo", "page", "oscquery", "terminal", "midi", "browser")
WHY = {
    "midi": "no JACK server for MIDI cables here",
    "browser": "Chromium is not here, or does not start",
    "liblo": "liblo-tools are not installed",
}
VALUES = itertools.cycle(value / 2 for value in (7, -3, 11, 5, -9, 3, -6, 9))


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("shown_by", NAMES)
def test_what_one_sets_the_other_shows(stage, source, shown_by):
    for name in (source, shown_by):
        if name not in stage.surfaces:
            pytest.skip(WHY[name])
    value = next(VALUES)
    stage.surfaces[source].set(value)
    if source != shown_by or source not in ("midi",):  # (a fader that is moved is not sent its own place)
        stage.wait(shown_by, value)
    stage.show.until(lambda show: abs(show.value("midlevel/modality") - value) < 2e-3)
