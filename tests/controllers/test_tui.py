"""The terminal view with its keys pressed: what the session is asked to do, and what the user is told."""

import asyncio

import pytest
from helpers.terminal_stage import analyse, perform, pressed, strips_of, text_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.session.presets import available_presets, user_preset_dir
from moodfader.control.tui.app import Terminal
from moodfader.control.tui.keymap import KEYMAP
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.common.errors import InputError


@pytest.fixture
def playing(session):
    """A session in the middle of something, with the faders at zero."""
    perform(session)
    session.publish({f"/moodfader/midlevel/{name}": 0.0 for name in MIDLEVEL})
    return session


def faders(session):
    return {name: session.get(f"/moodfader/midlevel/{name}") for name in MIDLEVEL}


def test_keys_move_the_faders(playing):
    pressed(playing, "right", "right", "down", "L", "left", "up", "up", "h")
    assert faders(playing) == dict.fromkeys(MIDLEVEL, 0.0) | {
        "melodiousness": 1.0,
        "articulation": 2.5,
        "modality": -0.5,
    }
    assert {source for _, _, source in playing.log} == {"terminal"}
    pressed(playing, *["L"] * 6)
    assert faders(playing)["melodiousness"] == 12.0
    pressed(playing, "0")
    assert faders(playing)["melodiousness"] == 0.0


def test_zero_all_moves_all_seven_at_once(playing):
    pressed(playing, "right", "down", "left", "down", "L")
    before, playing.log = playing.changes_since(0)[0], []
    pressed(playing, "z")
    assert faders(playing) == dict.fromkeys(MIDLEVEL, 0.0)
    assert [address for address, _, _ in playing.log] == ["/moodfader/zero"]
    assert playing.changes_since(before)[0] == before + 1  # (nobody sees three of them moved and four not yet)


def test_keys_of_the_transport(playing):
    keys = ("space", "b", "m", "left_square_bracket", "backslash", "minus", "w", "full_stop", "full_stop", "comma")
    pressed(playing, *keys)
    state = {address.removeprefix("/moodfader/"): value for address, value in playing.state().items()}
    assert (state["transport/play"], state["bypass"], state["match_loudness"]) == (False, True, True)
    assert (state["transport/loop_start"], state["transport/loop"]) == (62.0, False)
    assert (state["master"], state["wet"]) == (-1.0, 0.9)
    skips = [value for address, value, _ in playing.log if address == "/moodfader/transport/skip"]
    assert skips == [5.0, 5.0, -5.0]


def test_keys_of_snapshots_morphs_cues_and_undo(playing):
    _, lines = pressed(playing, "L", "s", "1", "z", "s", "2", "1")
    assert faders(playing)["melodiousness"] == 3.0
    assert any("snapshot recall 1" in line for line in lines)
    pressed(playing, "u")
    assert faders(playing)["melodiousness"] == 0.0
    pressed(playing, "U", *["greater_than_sign"] * 10)
    assert faders(playing)["melodiousness"] == pytest.approx(1.5)
    _, lines = pressed(playing, "o", "2", "x", "4", "v", "4", "s", "p", "3")  # another key ends the waiting
    assert any("snapshot 3: the slot is empty" in line for line in lines)
    asked = [(address.removeprefix("/moodfader/"), value) for address, value, _ in playing.log]
    assert [one for one in asked if one[0] in ("morph/to", "cue/set", "cue/go")] == [
        ("morph/to", 2),
        ("cue/set", 4),
        ("cue/go", 4),
    ]
    assert ("snapshot/store", 3) not in asked


def test_emotions_take_the_place_of_the_faders(playing):
    for size in ((60, 16), (80, 24), (200, 50)):
        _, lines = pressed(playing, "e", size=size)
        assert any("targets" in line or ("tender" in line and "free" in line) for line in lines)
    _, lines = pressed(playing, "e", "up", "L", "left", "down", "0")
    assert playing.get("/moodfader/target/tender") == pytest.approx(0.05)
    assert playing.get("/moodfader/target/valence") == 0.0
    assert "+0.05" in next(line for line in lines if "tender" in line and "─" in line)
    assert "keep" in next(line for line in lines if "valence" in line and "─" in line)
    assert any("waits for the analysis" in line for line in lines)
    pressed(playing, "e", "backspace", "e", "right")
    assert playing.get("/moodfader/target/valence") is None
    assert playing.get("/moodfader/target/tender") is None  # a fader was moved by hand


def test_presets_go_round(session):
    pressed(session, "p")
    first = session.get("/moodfader/preset/load")
    pressed(session, "p")
    assert session.get("/moodfader/preset/load") != first
    pressed(session, "P")
    assert session.get("/moodfader/preset/load") == first
    assert any(faders(session).values())


def test_stepping_through_the_presets_skips_a_broken_one_and_names_it(session):
    broken = user_preset_dir() / "cantabile-broken.toml"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text("gains_db = 3\n", encoding="utf-8")
    try:
        names = [name for name in available_presets() if name != broken.stem]
        loaded, screens = [], []
        for _ in range(len(names) + 1):
            _, lines = pressed(session, "p", size=(200, 24))
            loaded.append(session.get("/moodfader/preset/load"))
            screens.append("\n".join(lines))
    finally:
        broken.unlink()
    assert loaded == [*names, names[0]]
    assert ["cantabile-broken" in screen for screen in screens] == [name == "dolce" for name in loaded]


def test_q_asks_and_only_y_quits(playing):
    for keys, ends in ((("q",), False), (("q", "q"), False), (("q", "w"), False), (("q", "x", "y"), False)):
        app, lines = pressed(playing, *keys)
        assert (app.return_code is not None and app._exit) is ends, keys
    app, lines = pressed(playing, "q")
    assert any("quit? y: yes" in line for line in lines)
    app, _ = pressed(playing, "q", "y")
    assert app._exit
    assert playing.get("/moodfader/wet") == 1.0  # (the key that said no did nothing else)


def test_control_q_quits_at_once_but_asks_once_while_a_show_is_being_recorded(playing):
    app, _ = pressed(playing, "ctrl+q")
    assert app._exit
    playing.publish({"/moodfader/state/recording": True})
    app, lines = pressed(playing, "ctrl+q")
    assert not app._exit
    assert any("recording: end it and quit?" in line for line in lines)
    for again in ("y", "ctrl+q", "ctrl+c"):
        app, _ = pressed(playing, "ctrl+q", again)
        assert app._exit
    app, _ = pressed(playing, "ctrl+q", "n", "y")
    assert not app._exit


def test_what_cannot_be_done_is_said_on_the_screen(playing, monkeypatch):
    for error in (InputError("the sound card is gone"), RecursionError("too deep"), RuntimeError("the card is gone")):

        def refuse(address, value, *, source="", error=error):
            raise error

        monkeypatch.setattr(playing, "set", refuse)
        for key in ("right", "p", "z", "space", "comma", "left_square_bracket", "n", "w"):
            app, lines = pressed(playing, key)
            assert not app._exit
            assert any(str(error) in line for line in lines), (key, error)
            assert any("melodiousness" in line for line in lines)


def test_a_fault_in_what_is_shown_does_not_end_the_show(playing):
    def fail():
        raise ValueError("no such track")

    app, lines = pressed(playing, "right", track=fail)
    assert not app._exit
    assert "no such track" in lines[0]
    assert faders(playing)["melodiousness"] == 0.5


def test_an_analysis_that_cannot_be_read_is_said_and_the_rest_is_shown(playing, tmp_path):
    path = analyse(playing, tmp_path)
    _, lines = pressed(playing, size=(110, 34))
    assert sum("▀▀▀▀" in line for line in lines) >= 8
    path.unlink()
    _, lines = pressed(playing, size=(110, 34))
    assert any("analysis.npz" in line for line in lines)
    assert any("melodiousness" in line for line in lines)


def test_the_map_comes_with_g_in_the_place_of_the_emotions_where_there_is_no_room_for_both(playing, tmp_path):
    analyse(playing, tmp_path)
    for keys, there in (((), False), (("g",), True), (("g", "g"), False)):
        _, lines = pressed(playing, *keys)
        assert any("gain map" in line for line in lines) is there
        assert any("tender" in line for line in lines) is not there
        assert any("modality" in line for line in lines)


def test_the_question_mark_lists_every_key(playing):
    for size in ((60, 16), (80, 24), (200, 50)):
        _, lines = pressed(playing, "question_mark", size=size)
        screen = "\n".join(lines)
        for group in KEYMAP:
            assert group.shown in screen
            assert group.does in screen
    bound = {key for binding in Terminal.BINDINGS for key in binding.key.split(",")}
    assert bound == {key for group in KEYMAP for binding in group.bindings for key in binding.keys.split(",")}
    _, lines = pressed(playing, "question_mark", "question_mark")
    assert any("melodiousness" in line for line in lines)


def test_it_shows_what_others_do(session):
    async def run():
        app = Terminal(session)
        async with app.run_test(size=(80, 24)) as pilot:
            session.set("/moodfader/midlevel/tonal_stability", -7.5, source="osc")
            for _ in range(1000):
                await pilot.pause(0.05)
                if "−7.5" in next(line for line in text_of(app) if "tonal stability" in line):
                    return True
        return False

    assert asyncio.run(run())


def test_what_others_do_is_drawn_at_once_and_the_gain_map_with_the_next_refresh(playing, tmp_path, monkeypatch):
    monkeypatch.setattr("moodfader.control.tui.app._REFRESH_S", 3600.0)
    analyse(playing, tmp_path)

    def others():
        playing.set("/moodfader/midlevel/tonal_stability", -7.5, source="osc")
        playing.set("/moodfader/midlevel/melodiousness", 11.5, source="osc")

    async def run():
        app = Terminal(playing)
        async with app.run_test(size=(110, 34)) as pilot:
            app._update()
            await pilot.pause()
            before = strips_of(app)
            await asyncio.to_thread(others)
            for _ in range(2400):
                await pilot.pause(0.05)
                if {"−7.5", "+11.5"} <= set(" ".join(text_of(app)).split()):
                    break
            news = strips_of(app)
            app._update()
            await pilot.pause()
            return before, news, strips_of(app)

    before, news, after = asyncio.run(run())
    (heading,) = (number for number, line in enumerate(news) if any("gain map" in part.text for part in line))
    assert news != before
    assert news[heading : heading + 5] == before[heading : heading + 5]
    assert after[heading : heading + 5] != news[heading : heading + 5]


def test_a_view_that_has_ended_is_told_nothing_more(session):
    pressed(session, "l")
    assert session._state.values._observers == ()
    session.set("/moodfader/midlevel/modality", 3.0)


def test_the_view_is_whole_right_after_every_resize(playing):
    sizes = [(80, 24), (110, 34), (80, 24), (60, 24), (200, 50), (80, 24), (100, 24), (60, 16), (80, 24)]

    async def run():
        app = Terminal(playing)
        async with app.run_test(size=sizes[0]) as pilot:
            for width, height in sizes:
                await pilot.resize_terminal(width, height)
                await pilot.pause()  # (no refresh by the clock: the events that are waiting)
                lines = text_of(app)
                assert [len(line) for line in lines] == [width] * height
                screen = "\n".join(lines)
                for name in (*MIDLEVEL, *EMOTIONS):
                    assert name.replace("_", " ") in screen, (width, height)
                assert "q quit" in lines[-1]

    asyncio.run(run())


def test_it_ends_when_it_is_over(session):
    async def run():
        app = Terminal(session, until=lambda: True)
        await asyncio.wait_for(app.run_async(headless=True, size=(80, 24)), 60)

    asyncio.run(run())


KEYS = [key for group in KEYMAP for binding in group.bindings for key in binding.keys.split(",")]
KEYS = [*(key for key in KEYS if not key.startswith("ctrl")), "a", "tab", "escape", "enter", "f1"]
NUMBERS = st.one_of(st.none(), st.floats(), st.floats(-1, 1), st.integers(-(10**6), 10**6), st.booleans(), st.text())
STEPS = st.lists(
    st.one_of(
        st.sampled_from(KEYS),
        st.tuples(st.integers(1, 220), st.integers(1, 60)),
        st.tuples(st.sampled_from([control.address for control in PARAMETERS]), NUMBERS),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, title=st.text(), note=st.text(), seed=st.integers(0, 3))
def test_random_keys_sizes_and_values_never_end_it(session, steps, title, note, seed):
    """An exception in a key's action, in a value or in drawing ends in a message, not with the show."""
    perform(session, ("steered", "no analysis", "settling", "original")[seed])

    async def run():
        app = Terminal(session, track=lambda: title, notes=lambda: [note], clients=lambda: [title])
        async with app.run_test(size=(80, 24)) as pilot:
            size = (80, 24)
            for step in steps:
                if isinstance(step, str):
                    await pilot.press(step)
                elif isinstance(step[0], str):
                    session.publish({step[0]: step[1]})
                else:
                    size = step
                    await pilot.resize_terminal(*size)
                if app._exit:
                    return
            app._update()
            await pilot.pause()
            lines = text_of(app)
            assert len(lines) == size[1]
            assert "could not be drawn" not in lines[0]

    asyncio.run(run())
