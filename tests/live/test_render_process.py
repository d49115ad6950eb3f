"""What the renderer does not do while it plays: it imports nothing and loads nothing at the first move of a fader."""

import subprocess
import sys
import textwrap

WHOLE_SHOW = """
    import sys
    import numpy as np
    import moodfader.engine.live.render_process
    from moodfader.engine.audio.sample_buffer import SampleBuffer
    from moodfader.engine.dsp.segment_mask import SegmentMask
    from moodfader.engine.performance.performance import SetRenderer

    noise = (0.1 * np.random.default_rng(0).standard_normal((441000, 2))).astype(np.float32)
    renderer = SetRenderer([SampleBuffer.from_array(noise, sample_rate=44100)], ceiling_dbtp=-20)
    renderer.masks[0] = SegmentMask(np.zeros((320, 149), np.int32), np.ones((1, 7), np.float32), sample_rate=44100)
    renderer.apply("/moodfader/transport/play", 1)
    for _ in range(20):
        renderer.step()
    before = set(sys.modules)
    moves = {"track/ready": 0, "midlevel/modality": 6.0, "match_loudness": 1, "transport/seek": 3.0, "wet": 0.4}
    for name, value in (moves | {"delta": 1, "bypass": 1, "master": -6}).items():
        renderer.apply("/moodfader/" + name, value)
        for _ in range(30):
            renderer.step()
    print(*sorted(set(sys.modules) - before))
"""


def test_the_first_move_of_a_fader_imports_nothing():
    """0.7.0 lost a block at the first message of a show: NumPy imported its FFT in the thread of the sound."""
    command = [sys.executable, "-c", textwrap.dedent(WHOLE_SHOW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == []
