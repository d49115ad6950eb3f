"""Ask the reporting jury again and put its tables at the top of docs/steering.md: after a change of model or method.

    python docs/refresh_steering.py [FILE ...]

Between `<!-- jury -->` and `<!-- end of jury -->` stands what `moodfader evaluate --steering FILE ...
--jury reporting` prints; by default of twenty recordings of the research data (MOODFADER_DATA), ten film clips and
ten songs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("MOODFADER_DATA", ROOT.parent / "shared" / "data"))
MARKED = re.compile(r"(<!-- jury -->\n).*?(<!-- end of jury -->)", re.S)
TRACKS = 10
"""Of each of the two kinds."""
DEVELOPED_WITH = ("266",)
"""Clips among these by which faders were chosen: the next one takes their place."""


def main() -> None:
    """Refresh the page."""
    files = [Path(name) for name in sys.argv[1:]] or default_files()
    command = [sys.executable, "-m", "moodfader.control.cli", "evaluate", "--jury", "reporting", "--quiet"]
    command += [part for file in files for part in ("--steering", str(file))]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    page = ROOT / "docs" / "steering.md"
    text, count = MARKED.subn(lambda match: f"{match.group(1)}\n{printed}\n\n{match.group(2)}", page.read_text())
    if count != 1:
        raise SystemExit(f"{page}: its marks <!-- jury --> and <!-- end of jury --> are not there once")
    page.write_text(text)


def default_files() -> list[Path]:
    """Film clips and songs, evenly spread over what is there."""
    found: list[Path] = []
    for folder in ("soundtracks", "emotify"):
        files = sorted((DATA / folder / "audio").glob("*.ogg"))
        if len(files) < TRACKS:
            raise SystemExit(f"no clips in {DATA / folder / 'audio'} (MOODFADER_DATA names their folder)")
        places = range(len(files) // (2 * TRACKS), len(files), len(files) // TRACKS)[:TRACKS]
        found += [files[place + (files[place].stem in DEVELOPED_WITH)] for place in places]
    return found


if __name__ == "__main__":
    main()
