"""The web process's copy of the values, without a socket: what waits while a batch is under way."""

import asyncio
from multiprocessing import Pipe

from helpers.web_page import FADER
from moodfader.control.web.messages import Changes
from moodfader.control.web.mirror import Mirror

STORE, ZERO = "/moodfader/snapshot/store", "/moodfader/zero"


def test_what_waits_is_the_newest_of_each_value_and_all_that_acts_in_order():
    async def batch():
        ours, theirs = Pipe()
        mirror = Mirror(ours, {})
        mirror.set(FADER, 0.5)
        await asyncio.sleep(0)
        assert theirs.recv().number == 1
        for address, value in ((FADER, 1.0), (FADER, 2.0), (STORE, 1), (FADER, 3.0), (STORE, 2), (ZERO, True)):
            mirror.set(address, value)
        await asyncio.sleep(0)
        assert not theirs.poll()  # (one batch at a time)
        theirs.send(Changes({}, answers=1))
        mirror.receive()
        return theirs.recv()

    requests = asyncio.run(batch()).requests
    wanted = [(FADER, 2.0), (STORE, 1), (FADER, 3.0), (STORE, 2), (ZERO, True)]
    assert [(one.address, one.value) for one in requests] == wanted


def test_who_raises_when_told_of_values_does_not_keep_the_next_batch_waiting():
    async def exchanged():
        ours, theirs = Pipe()
        mirror, told = Mirror(ours, {}), []

        def fail(values):
            raise OSError(24, "Too many open files")

        mirror.on_change += [fail, told.append]
        mirror.set(FADER, 0.5)
        await asyncio.sleep(0)
        received = [theirs.recv()]
        mirror.set(FADER, 1.0)
        await asyncio.sleep(0)
        theirs.send(Changes({FADER: 0.5}, answers=1))
        mirror.receive()
        received += [theirs.recv() for _ in range(2) if theirs.poll(60)]
        return told, received

    told, (first, notice, second) = asyncio.run(exchanged())
    assert told == [{FADER: 0.5}]
    assert notice.text == "web page: Too many open files; the show goes on"
    assert (first.number, second.number) == (1, 2)
