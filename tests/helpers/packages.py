"""The packages of the program in the order of their layers, and what their modules import."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("models", "engine", "control")
"""Each may import from those before it."""
LAYERS = (
    "models.common",
    "models.signal",
    "models.network",
    "models.numpy_network",
    "models.datasets",
    "models.inference",
    "models.inference.backward",
    "models.training",
    "models.evaluation",
    "models.jury",
    "models.composition",
    "models.scores",
    "models.synthesis",
    "models.midi_datasets",
    "models.weights",
    "engine.audio.containers",
    "engine.audio",
    "engine.dsp",
    "engine.explain",
    "engine.segmenting",
    "engine.excerpts",
    "engine.steering",
    "engine.steering.faders",
    "engine.analysis",
    "engine.render",
    "engine.file_targets",
    "engine.snapshots",
    "engine.performance",
    "engine.processes",
    "engine.batch.common",
    "engine.batch.inputs",
    "engine.batch.executors",
    "engine.batch",
    "engine.live_targets",
    "engine.devices",
    "engine.live",
    "engine.plotting",
    "engine.api",
    "control.parameters",
    "control.show",
    "control.session.values",
    "control.session",
    "control.set_lists",
    "control.saved_session",
    "control.osc",
    "control.layouts",
    "control.web",
    "control.midi",
    "control.console",
    "control.command_line",
    "control.tui.panels",
    "control.tui.pages",
    "control.tui",
    "control.report",
    "control.listening",
    "control.experiments",
    "control.experiments.listeners",
    "control.commands",
    "control.batch",
    "control.live_commands",
)
"""The packages, lowest first: each may import from those before it, so there is no circle."""


def absolute_imports(path: Path, root: Path, *, typing: bool = True) -> set[str]:
    """Absolute names of all that a module of the package at `root` imports, relative imports resolved.

    typing: also what is imported for type checkers alone.

    `from ..a import b` gives both `moodfader.x.a` and `moodfader.x.a.b`: b may be a module or a name in one.
    """
    package = ("moodfader", *path.relative_to(root).parent.parts)
    found = set()
    tree = ast.parse(path.read_text())
    if not typing:
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node))
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else [])))
            found.update((module, *(f"{module}.{name.name}" for name in node.names)))
    return found


def package_of(path: Path, root: Path) -> str:
    """Return "engine.dsp" of engine/dsp/limiter.py, "control" of control/cli.py."""
    return ".".join(path.relative_to(root).parent.parts)


def modules_of(root: Path) -> dict[str, list[str]]:
    """Names of the modules of each package below the three folders."""
    packages: dict[str, list[str]] = {}
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        modules = packages.setdefault(package_of(path, root), [])
        if path.name != "__init__.py":
            modules.append(path.stem)
    return packages
