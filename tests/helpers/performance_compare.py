"""A recorded performance against the tape of what the card was given: where they differ, and when changes began."""

import copy
from dataclasses import dataclass, field

import numpy as np
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.performance.performance import SetRenderer

ONSET = 0.01
"""A change has begun where the sound differs from what it would be without by so much of its level (-40 dB), or by
OWN_ONSET of the largest difference that it comes to make, if that is less (it may do little to the music there)."""
OWN_ONSET = 0.1
_FOLLOWED = 9  # steps


@dataclass
class Found:
    """`compared` samples, `breaks` as (tape sample, what), `onsets` tape samples of the probes by value."""

    compared: int = 0
    breaks: list = field(default_factory=list)
    onsets: dict = field(default_factory=dict)
    first_on_tape: int = 0


class _Probe:
    def __init__(self, value, without, at):
        self.value, self.without, self.left = value, without, _FOLLOWED
        self.at = at  # output sample with which its outputs begin
        self.outputs = []


def compare(history, files, maps, tape, *, settings=None, probe=None, block=512):
    """Render `history` again, and hold it against `tape` sample for sample.

    maps are those of the tracks, `settings` those that were solved as wholes, by the value of their events; `probe`
    is the address whose changes are looked for. A break is a stretch of the tape that does not go on as the render
    does: one that is left out or put in is found by looking for where it does.
    """
    sounds = [
        SampleBuffer.from_file(file, sample_rate=history.sample_rate, channels=history.channels) for file in files
    ]
    for sound in sounds:
        sound.load()
    shared = {id(one): one for one in [*sounds, *(known for known in maps if known is not None)]}
    performance = SetRenderer(sounds, ceiling_dbtp=history.ceiling_dbtp)
    performance.masks[:] = maps
    performance.settings.update(settings or {})
    waiting = list(history.changes)[::-1]
    rendered, probes, found = [], [], Found()
    given = 0
    while given < history.samples:
        now = []
        while waiting and waiting[-1].at <= performance.position:
            now.append(waiting.pop())
        probed = [change for change in now if change.address == probe]
        if probed:
            masks = {id(mask): mask for mask in performance._active_masks if mask is not None}  # (with settings)
            without = copy.deepcopy(performance, {**shared, **masks})
            probes.append(_Probe(probed[-1].value, without, given))
        for change in now:
            performance.apply(change.address, change.value)
            for one in probes:
                if change.address != probe:
                    one.without.apply(change.address, change.value)
        output = performance.step()
        for one in probes:
            one.outputs.append((output, one.without.step()))
            one.left -= 1
        for one in [one for one in probes if not one.left]:
            probes.remove(one)
            found.onsets[one.value] = _onset(one)
        rendered.append(output)
        given += len(output)
    expected = np.concatenate(rendered)[: history.samples]
    parts = _hold(expected, tape.samples, block, found)
    found.first_on_tape = parts[0][1]
    found.onsets = {value: _on_tape(at, parts) for value, at in found.onsets.items() if at is not None}
    return found


def _on_tape(at, parts):
    """The tape's sample of an output sample: parts are (first output sample, tape minus output) in order."""
    return at + [offset for first, offset in parts if first <= at][-1]


def _onset(probe):
    """The output sample where the sound with the change and without it come apart; None if they do not."""
    with_it, without = (np.concatenate(parts) for parts in zip(*probe.outputs, strict=True))
    level = np.sqrt(np.mean(np.square(without, dtype=np.float64)))
    difference = np.abs(with_it - without).max(axis=1)
    apart = np.flatnonzero(difference > max(min(ONSET * level, OWN_ONSET * difference.max()), 1e-7))
    return probe.at + int(apart[0]) if len(apart) else None


def _hold(expected, heard, block, found):
    """Compare; returns parts: (first output sample, tape sample minus output sample)."""
    at = int(np.flatnonzero(expected.any(axis=1))[0])
    on_tape = int(np.flatnonzero(heard.any(axis=1))[0])
    parts = [(0, on_tape - at)]
    while at < len(expected) and on_tape < len(heard):
        count = min(len(expected) - at, len(heard) - on_tape)
        differ = np.flatnonzero((expected[at : at + count] != heard[on_tape : on_tape + count]).any(axis=1))
        same = int(differ[0]) if len(differ) else count
        found.compared += same
        at, on_tape = at + same, on_tape + same
        if same == count:
            break
        put_in, left_out = _mended(expected[at:], heard[on_tape:], block)
        if put_in is None:
            found.breaks.append((on_tape, "goes on differently"))
            break
        found.breaks.append((on_tape, f"{put_in} samples put in, {left_out} left out"))
        at, on_tape = at + left_out, on_tape + put_in
        parts.append((at, on_tape - at))
    return parts


def _mended(expected, heard, block, reach=24):
    """How many samples to skip in both so that they are the same again."""
    for total in range(1, reach):
        for blocks in range(total + 1):
            put_in, left_out = (total - blocks) * block, blocks * block
            for slip in range(0, block, block // 4):
                first, second = expected[left_out + slip :][:256], heard[put_in + slip :][:256]
                if len(first) == len(second) == 256 and first.any() and (first == second).all():
                    return put_in + slip, left_out + slip
    return None, None
