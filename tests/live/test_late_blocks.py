"""What a card did without is counted where its library does not say; all times are made up."""

import numpy as np
import pytest
from moodfader.engine.devices.late_blocks import LateBlocks

PERIOD = 512 / 44100


def counted(times, slack=PERIOD):
    blocks = LateBlocks(period_s=PERIOD, slack_s=slack)
    return [blocks.done(at) for at in times]


def steady(count, *, jitter=0.0, drift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return 100 + np.arange(count) * PERIOD * (1 + drift) + rng.uniform(0, jitter, count)


@pytest.mark.parametrize("drift", [-1e-4, 0, 1e-4])
def test_jitter_and_drift_of_an_hour_are_not_late(drift):
    assert not any(counted(steady(310_000, jitter=0.4 * PERIOD, drift=drift), slack=0.8 * PERIOD))


def test_a_card_that_takes_eight_blocks_at_once_is_not_late():
    times = np.repeat(100 + np.arange(20_000) * 8 * PERIOD, 8)
    assert not any(counted(times, slack=2 * PERIOD))


def test_every_late_block_is_counted_once():
    times = steady(1000, jitter=0.1 * PERIOD)
    late = times.copy()
    late[300:] += PERIOD  # a cycle that was left out, and the next one comes late, too
    late[300] += 0.5 * PERIOD
    late[600:] += 5 * PERIOD  # stopped for five periods, and goes on from there
    found = counted(late)
    assert found[300] == 1
    assert found[600] == 5
    assert sum(found) == 6
