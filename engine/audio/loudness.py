"""Integrated loudness after ITU-R BS.1770-4 and EBU R 128, measured on a stream of blocks.

Conventions: blocks are [samples, channels] with full scale 1.0, loudness is in LUFS. Channel order is that of
WAV files; the low-frequency channel of 5.1 and its like is left out, those at the sides and the back count
1.41 times.
"""

import math

import numpy as np

from ...models.common.arrays import Floats
from ...models.signal.compiled_scipy import filter_sections, load_section_filter
from .containers.channel_layout import loudness_weights

SILENCE_LUFS = -70.0
"""The absolute gate: what never rises above it has this loudness (FFmpeg's convention)."""


class LoudnessMeter:
    """Integrated loudness of the blocks added to it, in bounded memory (one number for each 100 ms).

    The result does not depend on how the sound is cut into blocks (but for the rounding of doubles).

    Parameters
    ----------
    sample_rate
        In Hz.
    channels
        1 to 8.
    channel_mask
        Loudspeakers of the channels, as in channel_layout.py; 0 for the usual ones of that number of channels.
    """

    def __init__(self, sample_rate: int, channels: int, *, channel_mask: int = 0) -> None:
        self._sample_rate = sample_rate
        self._weights = np.array(loudness_weights(channel_mask, channels))
        load_section_filter()
        self._sections = k_weighting(sample_rate)
        self._state = np.zeros((channels, 2, 2))
        self._position = 0
        self._step = 0  # index of the 100 ms step that is being filled
        self._energy = 0.0  # of that step so far
        self._energies: list[float] = []

    def add(self, block: np.ndarray) -> None:
        """Measure `block`, float [samples, channels]."""
        if not len(block):
            return
        weighted = np.array(block.T, dtype=np.float64, order="C")  # [channels, samples]
        filter_sections(self._sections, weighted, self._state)
        power = self._weights @ np.square(weighted, out=weighted)  # [samples]
        if self._position == self._edge(self._step + 1):
            self._close_step(0.0)
        edges = [0]
        while (edge := self._edge(self._step + len(edges)) - self._position) < len(power):
            edges.append(edge)
        # A step that ends exactly with this block is closed by the next one, or by integrated().
        *whole, unfinished = np.add.reduceat(power, edges).tolist()
        for energy in whole:
            self._close_step(energy)
        self._energy += unfinished
        self._position += len(power)

    def integrated(self) -> float:
        """The gated loudness so far in LUFS, never below SILENCE_LUFS."""
        energies = self._energies
        if self._position >= self._edge(self._step + 1):
            energies = [*energies, self._energy]
        if len(energies) < 4:
            return SILENCE_LUFS
        sums = np.cumsum([0.0, *energies])
        edges = np.array([self._edge(step) for step in range(len(energies) + 1)])
        power = (sums[4:] - sums[:-4]) / (edges[4:] - edges[:-4])  # 400 ms blocks, 75 % overlap: eq. (3)
        gated = gated_power(power)
        return SILENCE_LUFS if gated is None else _lufs(gated)  # eq. (7)

    def _close_step(self, energy: float) -> None:
        self._energies.append(self._energy + energy)
        self._energy = 0.0
        self._step += 1

    def _edge(self, step: int) -> int:
        return step * self._sample_rate // 10


def gated_power(power: Floats) -> float | None:
    """Mean K-weighted power of the blocks of 400 ms that pass both gates; None where none passes the absolute one.

    power [blocks]: of each block, full scale 1.0.
    """
    loud = power[power > _power(SILENCE_LUFS)]
    if not len(loud):
        return None
    return float(loud[loud > loud.mean() * 0.1].mean())  # relative gate 10 LU below: eq. (5)


def k_weighting(sample_rate: int) -> np.ndarray:
    """The two biquads of BS.1770's K-weighting for any rate, as [2, 6] second-order sections.

    The analogue prototypes are those from which libebur128 and FFmpeg derive the standard's 48 kHz table.
    """
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf_b = [
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
    ]
    shelf_a = [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]

    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    a0 = 1 + k / q + k * k
    return np.array([shelf_b + shelf_a, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def section_response(sections: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Frequency response of second-order sections [n, 6] at angles in radians a sample: complex128, as the angles."""
    turn = np.exp(-1j * np.asarray(angles, np.float64))
    powers = np.stack([np.ones_like(turn), turn, turn**2])
    response = np.ones(turn.shape, np.complex128)
    for section in sections:
        response *= (section[:3] @ powers) / (section[3:] @ powers)
    return response


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power)  # eq. (2)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
