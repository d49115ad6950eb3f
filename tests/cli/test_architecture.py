"""docs/architecture.md: its map names every package as the package itself does, and its arrows are imports."""

import ast
import re
from itertools import pairwise, product

from helpers.packages import FOLDERS, LAYERS, ROOT, absolute_imports, package_of

PAGE = (ROOT / "docs" / "architecture.md").read_text()
_NODE = re.compile(r"(\w+)(?:\[([^\]]*)\])?")


def first_line(package: str) -> str:
    """First line of a package's docstring."""
    module = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text())
    return (ast.get_docstring(module) or "").splitlines()[0]


def test_the_map_has_every_package_in_the_order_of_the_layers():
    rows = re.findall(r"^\| `((?:models|engine|control)/[a-z_/]+)` \| (.*) \|$", PAGE, re.M)
    assert rows == [(package.replace(".", "/"), first_line(package)) for package in LAYERS]


def test_the_map_has_the_other_folders():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("*.py"))} - set(FOLDERS)
    assert {name for name in folders if f"| `{name}` |" not in PAGE} == set()


def test_the_files_and_folders_that_it_names_are_there():
    named = set(re.findall(r"`((?:\w+/)+\w+(?:\.\w+)*)`", PAGE))
    assert len(named) > len(LAYERS)
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_an_arrow_between_packages_is_an_import():
    layers = PAGE.split("## Layers")[1].split("```")[1]
    labels = {name: label for name, label in _NODE.findall(layers) if label}
    lines = [[_NODE.match(part.strip()).group(1) for part in line.split("-->")] for line in layers.splitlines()]
    arrows = {arrow for names in lines for arrow in pairwise(names)}
    assert len(arrows) > 30
    assert {
        (a, b) for a, b in arrows if not set(product(packages(a, labels), packages(b, labels))) & IMPORTS
    } == set()


def packages(name: str, labels: dict[str, str]) -> tuple[str, ...]:
    """The packages of a node: those that its label lists, or the one of its name."""
    words = [word.strip() for word in labels.get(name, name).split(",")]
    return tuple(package for word in words for package in LAYERS if package.split(".", 1)[1] == word) or (name,)


def imported_packages() -> set[tuple[str, str]]:
    """(package, package that it imports from), a sub-package counted as its parent too."""
    found = set()
    for path in [ROOT / "__init__.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]:
        for name in absolute_imports(path, ROOT):
            parts = name.removeprefix("moodfader.").split(".")
            own = (package_of(path, ROOT) or "moodfader").split(".")
            found.add((".".join(own[:2]), ".".join(parts[:2])))
    return found


IMPORTS = imported_packages()
