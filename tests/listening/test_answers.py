"""What answers of a listening test say: known shares, intervals as statsmodels has them, bad files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.cli import run
from moodfader.control.listening.answers import Answer, evaluate_answers, read_answers
from moodfader.models.common.errors import InputError
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

HEAD = "test,participant,trial,place,pair,question,direction,steered,answer,plays_first,plays_second,seconds\r\n"


def rows(meant, others, participant="ann", question="tender", direction=1):
    """So many answers as meant and otherwise, the steered sound first and second by turns."""
    lines = []
    for trial in range(1, meant + others + 1):
        steered = 1 + trial % 2
        chosen = steered if (trial <= meant) == (direction == 1) else 3 - steered
        lines.append(f"t,{participant},{trial},1,song,{question},{direction},{steered},{chosen},1,1,3.5\r\n")
    return "".join(lines)


@given(st.integers(0, 60), st.integers(0, 60))
def test_intervals_are_those_of_statsmodels(meant, others):
    if meant + others == 0:
        return
    answers = [Answer("t", "a", trial, "p", "tender", trial < meant) for trial in range(meant + others)]
    share = evaluate_answers(answers)[0]
    low, high = proportion_confint(meant, meant + others, method="wilson")
    assert (share.low, share.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
    tail = binom.cdf(min(meant, others), meant + others, 0.5)
    assert share.p_value == pytest.approx(min(2 * tail, 1.0))


@pytest.mark.parametrize("direction", [1, -1])
def test_known_answers_are_counted(tmp_path, capsys, direction):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(HEAD + rows(15, 5, direction=direction))
    second.write_text(HEAD + rows(3, 7, "ben, the second".replace(",", ""), "articulation"))
    assert run(["listen-test", "--evaluate", str(first), str(second), "--json"]) == 0
    shares = {share["what"]: share for share in json.loads(capsys.readouterr().out)["shares"]}
    assert {name: (share["as_meant"], share["count"]) for name, share in shares.items()} == {
        "all": (18, 30),
        "tender": (15, 20),
        "articulation": (3, 10),
        "listener ann": (15, 20),
        "listener ben the second": (3, 10),
    }
    assert shares["tender"]["low"] == pytest.approx(0.531, abs=0.001)  # Wilson (1927) for 15 of 20
    assert shares["tender"]["high"] == pytest.approx(0.888, abs=0.001)
    assert shares["all"]["listeners"] == 2
    assert run(["listen-test", "--evaluate", str(first)]) == 0
    assert "0.53 to 0.89" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no answers of a listening test"),
        ("a,b\r\n1,2\r\n", "test is missing"),
        (HEAD + rows(1, 0).replace(",1,2,2,", ",1,2,3,"), "line 2: direction is 1 or -1"),
        (HEAD + rows(1, 0).replace("tender", "tendr"), "did you mean tender"),
        (HEAD + rows(1, 0).replace(",ann,", ",,"), "whose answer"),
        (HEAD + rows(1, 0) + rows(1, 0), "is also in"),
        ("\x00\x01", "answers.csv"),
    ],
)
def test_bad_answers_are_refused_with_a_line(tmp_path, refused, content, complaint):
    file = tmp_path / "answers.csv"
    file.write_text(content)
    refused(["listen-test", "--evaluate", file], complaint)
    with pytest.raises(InputError):
        read_answers([file])


def test_a_file_that_is_not_there_is_named(tmp_path, refused):
    refused(["listen-test", "--evaluate", tmp_path / "none.csv"], "none.csv: no such file")


def test_answers_saved_again_by_a_spreadsheet_are_counted(tmp_path):
    file = tmp_path / "answers.csv"
    text = (HEAD + rows(3, 1)).replace(",", ";").replace("\r\n", "\r\n\r\n")
    file.write_bytes(text.encode("utf-8-sig"))
    plain = tmp_path / "plain.csv"
    plain.write_bytes((HEAD + rows(3, 1)).encode())
    assert read_answers([file]) == read_answers([plain])
