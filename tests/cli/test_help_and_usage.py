"""Help, usage errors, names of options, and what a command imports."""

import subprocess
import sys

import pytest
import typer
from moodfader.control.cli import MODULES, make_app, run
from moodfader.control.command_line.renamed_options import RENAMED_OPTIONS
from moodfader.control.console.shared_options import AnalysisOptions
from moodfader.control.experiments.training_options import TrainingOptions
from moodfader.engine.analysis.settings import ESTIMATORS, AnalysisSettings
from moodfader.engine.explain.segmentation import SEGMENTATIONS
from moodfader.models.training.settings import TrainingSettings

COMMANDS = ("demo", "predict", "analyze", "explain", "render", "presets", "train", "evaluate", "cache")


def program(*arguments: str, **options) -> subprocess.CompletedProcess:
    """The installed program in a process of its own."""
    command = [sys.executable, "-m", "moodfader.control.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_help_names_every_command(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f" {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert run([command, "--help"]) == 0
    assert "Usage: moodfader " + command in capsys.readouterr().out


def test_help_names_all_choices(capsys):
    run(["analyze", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*SEGMENTATIONS, *ESTIMATORS, "gain", "mask"))


def test_defaults_are_those_of_the_engine_and_of_training():
    assert AnalysisOptions().settings() == AnalysisSettings()
    assert TrainingOptions().settings("cpu") == TrainingSettings(device="cpu")


def test_help_and_version_do_not_wait_for_torch_nor_numpy():
    heavy = {"torch", "numpy", "matplotlib"}
    code = f"import sys, moodfader.control.cli as c; c.run(['--help']); print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "set()"


def test_a_command_imports_its_own_module_and_no_other():
    names = [command for commands in MODULES.values() for command in commands]
    assert sorted(typer.main.get_command(make_app()).commands) == sorted(names)
    for name in names:
        assert name in typer.main.get_command(make_app(name)).commands
    code = "import sys, moodfader.control.cli as c; c.run(['presets', 'list']); print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {f"moodfader.{module}" for module in MODULES} & set(imported.stdout.splitlines()[-1].split())
    assert loaded == {"moodfader.control.commands.presets"}


def test_version():
    shown = program("--version")
    assert shown.returncode == 0
    assert shown.stdout.startswith("moodfader 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rendr"], "render"),
        (["render", "song.wav"], "--output"),
        (["analyze", "song.wav", "--evaluations", "many"], "--evaluations"),
        (["predict"], "FILE"),
        (["predict", "song.wav", "--jsn"], "--json"),
    ],
)
def test_usage_errors_are_one_line(arguments, said, capsys):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("moodfader: ")
    assert shown.err.count("\n") == 1
    assert said in shown.err


@pytest.mark.parametrize(("old", "new"), RENAMED_OPTIONS.items())
def test_the_old_name_of_an_option_works_and_is_not_shown(old, new, capsys):
    """Each renamed option is taken under both names by the same commands."""
    found = 0
    for command in typer.main.get_command(make_app()).commands.values():
        names = {name for parameter in command.params for name in parameter.opts}
        assert f"--{old}" not in names
        found += f"--{new}" in names
    assert found
    assert run(["analyze", "--help"]) == 0
    assert f"--{old} " not in capsys.readouterr().out
