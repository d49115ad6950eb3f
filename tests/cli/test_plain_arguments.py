"""Command lines that are read without typer's converter give what typer gives, and the others are left to typer."""

import inspect
import subprocess
import sys
from itertools import chain

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moodfader.control.cli import MODULES, make_app
from moodfader.control.command_line.plain_arguments import plain_arguments

HEALTH = list(HealthCheck)
NAMES = [name for names in MODULES.values() for name in names]
ODD = ["", " ", "-", "--", "-1", "0", "1e3", "1_0", "0x10", "１", "true", "+5", "99999999999999999999", "nan", "-q"]
ODD += ["--json", "--help", "--ahead", "--passes", "--no-such", "-qq", "--quiet=1", "--set=a=b=c", "--set", "a b"]
ODD += ["ü", "\udcff"]


def command_of(name):
    """The command of that name, as typer knows it; None for one that has commands of its own."""
    return next(
        (one.callback for one in make_app(name).registered_commands if (one.name or one.callback.__name__) == name),
        None,
    )


def by_typer(command, name, words):
    """The arguments with which typer calls the command, or None where it refuses them."""
    calls = []

    def record(**arguments):
        calls.append(arguments)

    record.__name__ = name
    record.__signature__ = inspect.signature(command, eval_str=True)
    record.__annotations__ = {p.name: p.annotation for p in record.__signature__.parameters.values()}
    app = typer.Typer(add_completion=False)
    app.callback()(lambda: None)
    app.command(name)(record)
    try:
        typer.main.get_command(app).main([name, *words], prog_name="moodfader", standalone_mode=False)
    except typer.TyperException:
        return None
    return calls[0] if calls else None


def words_of(command):
    """What may stand on the command's line: its options with values of their types, files, and odd things."""
    options, required = [], []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind, info = parameter.annotation.__args__[0], parameter.annotation.__metadata__[0]
        names = [info.default] if isinstance(info.default, str) else []
        names += list(info.param_decls or ()) or ([] if names else ["--" + parameter.name.replace("_", "-")])
        if not isinstance(info, typer.models.OptionInfo):
            continue
        required += [names[0], "out.wav"] if parameter.default is inspect.Parameter.empty else []
        for name in names:
            if kind is bool:
                options.append(st.just([name]))
                continue
            value = st.sampled_from(["0", "3", "17", "-2", "2.5", "a=6", "name", "x/y.wav", *ODD])
            options.append(st.tuples(st.just(name), value).map(list))
            options.append(value.map(lambda text, name=name: [f"{name}={text}"]))
    files = st.sampled_from([["a.wav"], ["b c.ogg"], ["./-d.wav"]])
    odd = st.sampled_from([[word] for word in ODD])
    usual = st.one_of(files, *options) if options else files
    more = st.lists(st.one_of(usual, usual, usual, odd), max_size=5)
    begin = st.one_of(files.map(lambda words: [*words, *required]), usual)
    return st.tuples(begin, more).map(lambda found: [*found[0], *chain(*found[1])])


@pytest.mark.parametrize("name", [name for name in NAMES if command_of(name) is not None])
def test_what_is_read_is_what_typer_reads(name):
    command = command_of(name)
    read = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=HEALTH)
    @given(words_of(command))
    def compare(words):
        plain = plain_arguments(command, words)
        if plain is not None:
            read.append(plain)
            assert plain == by_typer(command, name, words)

    compare()
    assert read or name in ("send", "render")  # (what is declared there is typer's alone)


PLAY = ["song.wav", "--osc-port", "0", "--set", "dissonance=6", "--set", "modality=-3", "--ceiling=-2", "-q", "--web"]


def test_an_ordinary_line_is_read():
    arguments = plain_arguments(command_of("play"), PLAY)
    assert arguments == by_typer(command_of("play"), "play", PLAY)
    assert arguments["settings"] == ["dissonance=6", "modality=-3"]
    assert (arguments["ceiling"], arguments["osc_port"], arguments["web"], arguments["block"]) == (-2.0, 0, True, 512)


@pytest.mark.parametrize(
    "words",
    [
        *("a.wav --no-such", "--help", "a.wav --ahead 9", "a.wav --block x", "a.wav --block"),
        *("a.wav --reply-port 0", "-- a.wav", "a.wav --block=1 --block=2", "a.wav -qq"),
    ],
)
def test_what_is_not_plain_is_left_to_typer(words):
    assert plain_arguments(command_of("play"), words.split()) is None


CODE = "import sys; from moodfader.control.cli import run; print(run(sys.argv[1:]), 'pydantic' in sys.modules)"


@pytest.mark.parametrize(
    ("words", "said", "has_converter"),
    [
        (["play", "none.wav"], "none.wav: no such file", False),
        (["predict", "none.wav"], "none.wav: no such file", False),
        (["play", "none.wav", "--block", "many"], "--block many: a whole number is needed", True),
    ],
)
def test_a_mistake_is_one_line_with_and_without_typers_converter(words, said, has_converter, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", CODE, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["2", str(has_converter)]
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.stderr
