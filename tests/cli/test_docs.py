"""The commands of README and docs are run, in their order, and print what is shown (numbers apart)."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import typer
from moodfader.control.cli import make_app, run

ROOT = Path(__file__).parent.parent.parent
CARD = ROOT / "models" / "weights" / "MODEL_CARD.md"
PAGES = [ROOT / "README.md", CARD, *sorted((ROOT / "docs").glob("*.md"))]
README_BYTES = 7000


def blocks(language: str) -> list[tuple[Path, str]]:
    """(page, text) of every block of that language."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.S | re.M)
    return [(page, block) for page in PAGES for block in pattern.findall(page.read_text())]


def masked(text: str) -> list[str]:
    """Lines without their numbers, bars and blanks: another processor may differ in the last digit."""
    lines = (re.sub(r"[-+]?[\d.:]+|█+|\s+", "", line) for line in text.splitlines())
    return [line for line in lines if line]


def shape(value):
    """Keys and types of a JSON value."""
    return {key: shape(part) for key, part in value.items()} if isinstance(value, dict) else type(value)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with song.ogg in it, as the pages suppose, and an environment of its own.

    The song is the beginning of the track that ships: what is printed has the same lines, and takes a quarter of the
    time.
    """
    folder = tmp_path_factory.mktemp("desk")
    sound, rate = soundfile.read(ROOT / "presets" / "demo.ogg", dtype="float32", frames=8 * 44100)
    soundfile.write(folder / "song.ogg", sound, rate)
    environment = {**os.environ, "COLUMNS": "100", "MOODFADER_CONFIG": str(folder / "configuration")}
    return folder, environment


def test_every_command_prints_what_is_shown(desk, monkeypatch, capfd):
    folder, environment = desk
    monkeypatch.chdir(folder)
    for name in ("COLUMNS", "MOODFADER_CONFIG"):
        monkeypatch.setenv(name, environment[name])
    shown_blocks = [block.split("\n", 1) for _, block in blocks("console")]
    assert len(shown_blocks) >= 9
    for command, shown in shown_blocks:
        arguments = shlex.split(command.removeprefix("$ moodfader "))
        code = run(arguments)
        out, err = capfd.readouterr()
        wrong = shown.startswith("moodfader: ")
        assert code == (2 if wrong else 0), f"{command}: {err}"
        printed = err if wrong else out
        if "--json" in arguments:
            assert shape(json.loads(printed)) == shape(json.loads(shown)), command
            continue
        left = iter(masked(printed))
        for line in masked(shown):
            assert any(line == other for other in left), f"{command} does not print: {line}"


@pytest.mark.parametrize(("page", "code"), blocks("python"), ids=lambda value: getattr(value, "name", "code"))
def test_the_python_examples_run(desk, page, code):
    folder, environment = desk
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**environment, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page.name}: {done.stderr}"
    if page.name == "README.md":
        before, after = map(float, done.stdout.split())
        assert after > before, "more dissonance and less of a tune are more tension"


def options_of(words: list[str]) -> tuple[set[str], list[str]]:
    """The options of the command that the words begin with, and the words that follow."""
    command = typer.main.get_command(make_app())
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}, words


def test_commands_that_are_only_shown_have_these_options():
    """What cannot be run here (play, train) at least names commands and options that there are."""
    commands = [block.replace("\\\n", "") for _, block in blocks("sh")]
    lines = [line for block in commands for line in block.splitlines() if line.startswith("moodfader ")]
    assert len(lines) >= 15
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        options, rest = options_of(words)
        assert len(rest) < len(words), f"no such command: {line}"
        for word in rest:
            if word.startswith("-"):
                assert word.split("=")[0] in options, f"{line}: no option {word}"


def test_what_the_pages_point_at_is_there():
    for page in PAGES:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_is_short():
    assert (ROOT / "README.md").stat().st_size < README_BYTES


def hooks():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_made_from_the_code():
    from moodfader.control.parameters.table import PARAMETERS

    made = {page.name: hooks().on_page_markdown(page.read_text()) for page in PAGES}
    assert all(f"`{parameter.address}`" in made["controllers.md"] for parameter in PARAMETERS)
    assert "| `--match-loudness` |" in made["command-line.md"]
    assert not any(re.search(r"<!-- (addresses|options of)", text) for text in made.values())


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (extra docs)")
    pytest.importorskip("mkdocstrings", reason="mkdocstrings is not installed (extra docs)")
    # the package under its name, for mkdocstrings
    package = tmp_path / "packages"
    package.mkdir()
    (package / "moodfader").symlink_to(ROOT)
    configuration = (ROOT / "mkdocs.yml").read_text()
    for old, new in (
        ("paths: [.typecheck]", f"paths: [{package}]"),
        ("docs_dir: docs", f"docs_dir: {ROOT / 'docs'}"),
        ("[docs/hooks.py]", f"[{ROOT / 'docs' / 'hooks.py'}]"),
    ):
        assert old in configuration
        configuration = configuration.replace(old, new)
    (tmp_path / "mkdocs.yml").write_text(configuration)
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(tmp_path / "mkdocs.yml")]
    done = subprocess.run(build, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "site" / "python" / "index.html").read_text()
    assert "FaderProcessor" in reference
    assert "Samples that are held back" in reference
