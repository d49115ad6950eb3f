"""Tables of ratings as spreadsheets write them, through `evaluate`."""

import json

import numpy as np
import pytest
import soundfile
from files.conftest import RATE, plucked

ROWS = [(f"s{k}.wav", f"g{k // 2}", (k * 10 + 5) / 100, 0.9 - k / 10) for k in range(8)]


@pytest.fixture
def evaluated(program, tmp_path, model_file):
    """Evaluate a table of eight clips; `content` is the table's bytes."""
    for number, (name, *_) in enumerate(ROWS):
        noise = np.random.default_rng(number).normal(0, 0.01 * (number + 1), (RATE, 1))
        soundfile.write(tmp_path / name, plucked(1.0) + noise, RATE)
    soundfile.write(tmp_path / "só.wav", plucked(1.0), RATE)

    def go(content: bytes):
        (tmp_path / "table.csv").write_bytes(content)
        return program("evaluate", "--table", tmp_path / "table.csv", "--model", model_file, "--json", "--quiet")

    return go


def table(delimiter=",", *, comma=False, first="", name="s0.wav", end="\r\n") -> str:
    lines = [delimiter.join(("file", "group", "valence", "energy"))]
    for file, group, valence, energy in ROWS:
        numbers = [str(value).replace(".", ",") if comma else str(value) for value in (valence, energy)]
        lines.append(delimiter.join((name if file == "s0.wav" else file, group, *numbers)))
    return first + end.join(lines) + end


@pytest.mark.parametrize(
    "content",
    [
        table().encode(),
        (table() + ",,,\r\n,,,\r\n").encode(),
        (table(end="\r\n\r\n")).encode(),
        ("\ufeff" + table(";", comma=True)).encode(),
        table(";", first="sep=;\r\n").encode(),
        table("\t").encode("utf-16"),
        table(";", comma=True, name="só.wav").encode("cp1252"),
        table(name="so\u0301.wav").encode(),
    ],
    ids=["plain", "empty rows", "blank lines", "German", "sep line", "UTF-16", "Windows-1252", "accents apart"],
)
def test_a_table_from_a_spreadsheet_is_read(evaluated, content):
    ended = evaluated(content)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["clips"] == {"table:table.csv": 8}


def test_clips_that_are_all_the_same_are_no_traceback(program, tmp_path, model_file):
    soundfile.write(tmp_path / "s.wav", plucked(1.0), RATE)
    rows = "".join(f"s.wav,g{k},0.{k}\n" for k in range(1, 9))
    (tmp_path / "table.csv").write_text("file,group,valence\n" + rows)
    ended = program("evaluate", "--table", tmp_path / "table.csv", "--model", model_file, "--json")
    assert ended.code == 0, ended.err
    assert "Warning" not in ended.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (table(end="\n") + "\n\ns1.wav,g,half,0.4\n", "row 12: valence is 'half'"),
        ("file,group,valence,energy\n\n\n\ns0.wav,g,0.5,0.4\n\n\ns1.wav,g,half,0.4\n", "row 8: valence"),
        (table().replace("s3.wav", '"s3.wav'), "row 5"),
        (table().replace("s3.wav", '"s3.wav') + '"' * 1, "row 5"),
        (table().replace("s3.wav", "n" * 300), "row 5"),
        (table().replace("s3.wav", ""), "row 5: names no audio file"),
        (table().replace("0.35", "3.5"), "row 5: valence is 3.5"),
        (table().replace("0.35", "1e999"), "row 5: valence"),
        (table().replace("0.35", "9" * 5000), "row 5: valence"),
        (table().replace("s3.wav", "x" * 200_000), "row 5"),
        ("PK\x03\x04\0\0\0\0", "xls"),
        ("", "no rows"),
        ("\n\n", "no rows"),
        ("sep=;", "no rows"),
        ("sep=;\n", "no rows"),
    ],
)
def test_a_mistake_in_a_table_is_one_line_with_its_row(evaluated, content, said):
    ended = evaluated(content.encode())
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert len(ended.err) < 600
