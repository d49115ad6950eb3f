"""The terminal view: its rows, and the app with its keys pressed."""

import asyncio

import numpy as np
import pytest
from moodfader.control.tui.app import Terminal
from moodfader.control.tui.gain_map import GainMap
from moodfader.control.tui.rows import emotion_rows, fader_rows, key_row, meter_rows, transport_rows
from moodfader.engine.analysis.surrogate import TrackSummary
from moodfader.engine.processes.messages import TrackAnalyzed
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL


@pytest.fixture
def playing(session):
    """A session in the middle of something."""
    values = {
        "transport/position": 62.0,
        "transport/duration": 245.0,
        "transport/play": True,
        "meter/peak_db": -6.2,
        "meter/load": 0.23,
        "meter/dropouts": 2,
        "meter/ring": 4.0,
        "meter/latency_ms": 31.0,
    }
    for index, name in enumerate(EMOTIONS):
        values |= {f"before/{name}": index / 10, f"emotion/{name}": index / 10 + 0.11, f"measured/{name}": 0.99}
    session.publish({f"/moodfader/{name}": value for name, value in values.items()})
    return session


def pressed(session, *keys, size=(80, 24), **options):
    """The lines of the screen after these keys."""

    async def run():
        app = Terminal(session, **options)
        async with app.run_test(size=size) as pilot:
            await pilot.press(*keys)
            await pilot.pause(0.15)
            return app, [
                "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
            ]

    return asyncio.run(run())


@pytest.mark.parametrize("width", [40, 80, 81, 200])
def test_rows_are_as_wide_as_the_terminal_at_most(playing, width):
    state = playing.state()
    clients = [f"127.0.0.1:{port}" for port in range(5000, 5040)]
    rows = [transport_rows("a very long name " * 20, state, width), key_row(width)]
    rows += [meter_rows(state, clients, "", width), meter_rows(state, [], "trouble " * 50, width)]
    if width >= 80:
        rows += [fader_rows(state, 3, width), emotion_rows(state, width)]
    for row in rows:
        for line in row.plain.splitlines():
            assert len(line) <= width, line


def test_a_fader_stands_where_its_value_is(session):
    session.set("/moodfader/midlevel/melodiousness", -12.0)
    session.set("/moodfader/midlevel/articulation", 12.0)
    lines = fader_rows(session.state(), 0, 80).plain.splitlines()[1:]
    places = [line.index("█") for line in lines]
    assert places[0] < places[2] < places[1]
    assert places[2] - places[0] == places[1] - places[2]
    assert "−12.0" in lines[0]
    assert "+12.0" in lines[1]


def test_everything_is_seen_at_80_by_24(playing):
    _, lines = pressed(playing, track=lambda: "concerto.flac", clients=lambda: ["127.0.0.1:5000"])
    assert len(lines) == 24
    screen = "\n".join(lines)
    for name in (*MIDLEVEL, *EMOTIONS):
        assert name.replace("_", " ") in screen
    for text in ("concerto.flac", "1:02 / 4:05", "before", "surrogate", "measured", "-6.2 dBTP", "drop-outs 2"):
        assert text in screen
    for text in ("latency 31 ms", "load  23%", "ring 4 blocks", "1 client: 127.0.0.1:5000", "q quit", "0.11", "0.99"):
        assert text in screen


def test_keys_move_the_faders(playing):
    pressed(playing, "right", "right", "down", "L", "left", "up", "up", "h")
    values = {name: playing.get(f"/moodfader/midlevel/{name}") for name in MIDLEVEL}
    assert values == dict.fromkeys(MIDLEVEL, 0.0) | {"melodiousness": 1.0, "articulation": 2.5, "modality": -0.5}
    assert {source for _, _, source in playing.log} == {"terminal"}
    pressed(playing, *["L"] * 6)
    assert playing.get("/moodfader/midlevel/melodiousness") == 12.0
    pressed(playing, "0")
    assert playing.get("/moodfader/midlevel/melodiousness") == 0.0
    pressed(playing, "z")
    assert [playing.get(f"/moodfader/midlevel/{name}") for name in MIDLEVEL] == [0.0] * 7


def test_keys_of_the_transport(playing):
    _, lines = pressed(playing, "space", "b", "m", "full_stop", "left_square_bracket", "backslash", "minus", "w")
    state = {address.removeprefix("/moodfader/"): value for address, value in playing.state().items()}
    assert (state["transport/play"], state["bypass"], state["match_loudness"]) == (False, True, True)
    assert (state["transport/seek"], state["transport/loop_start"], state["transport/loop"]) == (67.0, 62.0, True)
    assert (state["master"], state["wet"]) == (-1.0, 0.9)
    assert "original (A/B), loudness matched" in lines[0]
    assert "[" in lines[1]


def test_presets_go_round(session):
    pressed(session, "p")
    first = session.get("/moodfader/preset/load")
    pressed(session, "p")
    assert session.get("/moodfader/preset/load") != first
    pressed(session, "P")
    assert session.get("/moodfader/preset/load") == first
    assert any(session.get(f"/moodfader/midlevel/{name}") for name in MIDLEVEL)


def test_what_cannot_be_done_is_said_on_the_screen(playing, monkeypatch):
    from moodfader.models.common.errors import InputError

    def refuse(address, value, *, source=""):
        raise InputError("the sound card is gone")

    monkeypatch.setattr(playing, "set", refuse)
    _, lines = pressed(playing, "right")
    assert any("the sound card is gone" in line for line in lines)


def test_it_shows_what_others_do(session):
    async def run():
        app = Terminal(session)
        async with app.run_test(size=(80, 24)) as pilot:
            session.set("/moodfader/midlevel/tonal_stability", -7.5, source="osc")
            await pilot.pause(0.25)
            return app.screen._compositor.render_strips()

    lines = ["".join(segment.text for segment in strip) for strip in asyncio.run(run())]
    assert "−7.5" in next(line for line in lines if "tonal stability" in line)


@pytest.fixture
def analysed(playing, tmp_path):
    """Two segments, one above the other: the upper one speaks for modality, the lower one against it."""
    labels = np.zeros((2000, 149), np.int32)
    labels[:, 75:] = 1
    weights = np.zeros((2, 7), np.float32)
    weights[:, MIDLEVEL.index("modality")] = (-1, 1)
    path = tmp_path / "analysis.npz"
    arrays = {"segments": labels, "mask_weights": weights, "weights": weights, "response_per_db": np.ones(2)}
    np.savez(path, **arrays)
    emotions = dict.fromkeys(EMOTIONS, 0.5)
    playing.event(TrackAnalyzed(0, TrackSummary(path, "", "", 63.9, 10.0, emotions, np.zeros((8, 7), np.float32))))
    return playing, path


def test_the_gain_map_shows_what_the_faders_do(analysed):
    _, path = analysed
    faders_db = np.zeros(7, np.float32)
    faders_db[MIDLEVEL.index("modality")] = 6.0
    gains_db = GainMap(path).gains_db(-5, 600, faders_db)
    assert np.isnan(gains_db[:5]).all()
    assert np.isnan(gains_db[505:]).all()
    assert (gains_db[5:505, :8] == -6).all()
    assert (gains_db[5:505, 8:] == 6).all()
    rows = GainMap(path).render_text(30.0, faders_db, 80)
    top, bottom = (style.style.color.triplet for style in (rows.spans[1], rows.spans[-1]))
    assert top.red > top.blue
    assert bottom.blue > bottom.red


def test_a_tall_terminal_has_the_gain_map(analysed):
    session, path = analysed
    for size, there in (((80, 24), False), ((80, 33), True), ((120, 50), True)):
        _, lines = pressed(session, "up", "L", size=size)
        assert any("gain map" in line for line in lines) is there
        assert sum("▀▀▀▀" in line for line in lines) == (8 if there else 0)
        assert any("q quit" in line for line in lines)
    path.unlink()
    _, lines = pressed(session, size=(250, 40))
    assert any("cannot be read" in line for line in lines)


def test_a_short_terminal_has_the_gain_map_in_the_place_of_the_emotions(analysed):
    session, _ = analysed
    _, lines = pressed(session, "g")
    assert any("gain map" in line for line in lines)
    assert not any("surrogate" in line for line in lines)
    assert any("modality" in line for line in lines)
    _, lines = pressed(session, "g", "g")
    assert any("surrogate" in line for line in lines)


def test_loud_music_is_brighter_on_the_map(analysed):
    _, path = analysed
    levels = np.zeros((500, 16), np.uint8)
    levels[:, 8:] = 255
    rows = GainMap(path, levels).render_text(30.0, np.zeros(7, np.float32), 80)
    top, bottom = (style.style.color.triplet for style in (rows.spans[1], rows.spans[-1]))
    assert top.red > bottom.red + 100


def test_a_picture_is_every_fourth_frame_whatever_the_blocks():
    from moodfader.engine.analysis.thumbnail import spectrogram_thumbnail, thumbnail_bands

    whole = np.random.default_rng(0).random((101, 149)).astype(np.float32)
    expected = spectrogram_thumbnail([whole])
    assert expected.shape == (26, 16)
    np.testing.assert_array_equal(spectrogram_thumbnail(np.split(whole, [3, 10, 11, 50])), expected)
    loudest = np.percentile(whole[::4, thumbnail_bands(149)], 99.5)
    np.testing.assert_array_equal(
        expected[3], (np.clip(whole[12, thumbnail_bands(149)] / loudest, 0, 1) * 255).astype(np.uint8)
    )
    assert spectrogram_thumbnail([]).shape == (0, 16)


def test_it_ends_by_q_and_when_it_is_over(session):
    app, _ = pressed(session, "q")
    assert app.return_code == 0

    async def run():
        app = Terminal(session, until=lambda: True)
        await asyncio.wait_for(app.run_async(headless=True, size=(80, 24)), 5)

    asyncio.run(run())
