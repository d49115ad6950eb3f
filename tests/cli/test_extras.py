"""The extras: what the core does without them, and the line that names the one to install."""

import ast
import functools
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from moodfader.models.common.extras import MODULES_OF_EXTRAS

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
packages_distributions = functools.cache(metadata.packages_distributions)
WITHOUT = f"""
import sys
sys.modules.update({{name: None for names in {MODULES_OF_EXTRAS}.values() for name in names}})
import contextlib, io, json
from moodfader.control.cli import run
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(json.loads(line))
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


def without_extras(*commands, folder):
    """Run commands one after the other where none of the extras' modules can be imported: (code, output, error)."""
    lines = "".join(json.dumps([str(word) for word in words]) + "\n" for words in commands)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], input=lines, capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def required(requirements) -> set[str]:
    """Distribution names of requirements, as packages_distributions spells them: lower case, hyphens."""
    names = {re.split(r"[\[<>=!;~ ]", requirement)[0] for requirement in requirements}
    return {name.lower().replace("_", "-") for name in names}


def third_party_imports(*folders: str) -> dict[str, set[str]]:
    """Top-level modules that are neither Python's nor ours, with the files that import them."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [name.name for name in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names = [str(node.module)]
                for name in names:
                    found.setdefault(name.split(".")[0], set()).add(str(path.relative_to(ROOT)))
    return {name: files for name, files in found.items() if name not in sys.stdlib_module_names}


def test_all_that_is_imported_is_declared():
    distributions = packages_distributions()
    declared = required(PROJECT["dependencies"])
    for extra in MODULES_OF_EXTRAS:
        declared |= required(PROJECT["optional-dependencies"].get(extra, []))
    for module, files in third_party_imports("models", "engine", "control").items():
        names = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
        assert names & declared, f"{module} is imported by {sorted(files)[0]}, but no dependency brings it"


@pytest.mark.parametrize("extra", MODULES_OF_EXTRAS)
def test_the_table_of_modules_is_that_of_the_project(extra):
    distributions = packages_distributions()
    declared = required(PROJECT["optional-dependencies"][extra])
    for module in MODULES_OF_EXTRAS[extra]:
        if module in distributions:
            names = {name.lower().replace("_", "-") for name in distributions[module]}
            assert names & declared, f"{module} is not brought by the extra {extra}"


def test_no_module_of_an_extra_is_one_of_the_core():
    core = required(PROJECT["dependencies"])
    for modules in MODULES_OF_EXTRAS.values():
        for module in modules:
            assert not {name.lower() for name in packages_distributions().get(module, [])} & core


def test_the_core_predicts_analyses_and_renders(song, model_file, tmp_path):
    model = ("--model", model_file, "--quiet")
    commands = (
        ("--help",),
        ("presets", "list"),
        ("predict", song, *model),
        ("render", song, "-o", "out.wav", "--set", "modality=3", "--passes", "64", *model),
    )
    for words, (code, _, error) in zip(commands, without_extras(*commands, folder=tmp_path), strict=True):
        assert code == 0, f"{words}: {error}"
    assert (tmp_path / "out.wav").is_file()


def test_what_is_missing_is_said_in_one_line(song, tmp_path):
    commands = {
        ("explain", song, "-o", "why"): "plot",
        ("demo", "-o", "out"): "plot",
        ("play", song, "--backend", "null", "--no-terminal"): "live",
    }
    for extra, (code, _, error) in zip(commands.values(), without_extras(*commands, folder=tmp_path), strict=True):
        assert code == 2, error
        (line,) = (line for line in error.splitlines() if line.startswith("moodfader: "))
        assert f"pip install 'moodfader[{extra}]'" in line
        assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_python_users_are_told_too(song):
    code = """
import sys, moodfader
sys.modules["matplotlib"] = None
try:
    moodfader.explain(sys.argv[1])
except ModuleNotFoundError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code, str(song)], capture_output=True, text=True, check=True)
    assert "moodfader[plot]" in run.stdout
