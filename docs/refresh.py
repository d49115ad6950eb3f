"""Run the console blocks of README and docs again and put what they print into them: after a change of the model.

    python docs/refresh.py

The blocks run in the order of the pages, in a folder with the demonstration track as song.ogg; tests/cli/test_docs.py
checks the same blocks.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"```console\n\$ (moodfader [^\n]*)\n(.*?)```", re.S)


def main() -> None:
    """Refresh every page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "presets" / "demo.ogg", folder / "song.ogg")
        environment = {**os.environ, "COLUMNS": "100", "MOODFADER_CONFIG": str(folder / "configuration")}
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            text = page.read_text()
            page.write_text(BLOCK.sub(lambda match: _printed(match, folder, environment), text))


def _printed(match: re.Match[str], folder: Path, environment: dict[str, str]) -> str:
    command, shown = match.groups()
    arguments = [sys.executable, "-m", "moodfader.control.cli", *shlex.split(command)[1:]]
    run = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    print(f"{command} -> {run.returncode}")
    printed = run.stderr if shown.startswith("moodfader: ") else run.stdout
    lines = [line for line in printed.splitlines() if not re.search(r"(^|\s)/\S", line)]  # (paths of this machine)
    return "\n".join(["```console", f"$ {command}", *lines, "```"])


if __name__ == "__main__":
    main()
