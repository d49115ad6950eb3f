"""The page of an explanation: all that it points at is there, nothing is fetched, and a browser shows it."""

import dataclasses
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from helpers.chromium import PROGRAM as CHROMIUM
from moodfader.control.cli import run
from moodfader.control.console.tables import reliability_warning
from moodfader.engine import load_analysis, load_track, predict_track
from moodfader.engine.plotting.export import explanation_paths
from moodfader.engine.plotting.html_page import render_html
from moodfader.models.common.constants import MIDLEVEL

NAME = 'a <b> & "c" %41 #1.wav'


class Page(HTMLParser):
    """Collects links, ids, elements that were left open, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.ids, self.tags, self.open, self.text = [], set(), [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)
        self.ids |= {values["id"]} if "id" in values else set()
        self.links += [values[key] for key in ("href", "src") if key in values]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def folder(random_model, tmp_path_factory) -> Path:
    """An explanation of three features of a file whose name is all that a page can stumble over."""
    home = tmp_path_factory.mktemp("page")
    times = np.arange(2 * 22050) / 22050
    sound = 0.4 * np.sin(2 * np.pi * 300 * times) * (np.sin(6 * times) > 0) + 0.1 * np.sin(2 * np.pi * 2000 * times)
    soundfile.write(home / NAME, sound, 22050)
    common = ["--model", str(random_model.path), "--passes", "64", "--coupled", "--quiet"]
    assert run(["analyze", str(home / NAME), *common, "--output", str(home / "a.npz")]) == 0
    features = [part for name in MIDLEVEL[:3] for part in ("--feature", name)]
    assert run(["explain", str(home / NAME), "-o", str(home / "why"), *features, *common]) == 0
    return home / "why"


def test_every_link_is_there_and_nothing_is_fetched(folder):
    seen = Page((folder / "index.html").read_text())
    assert seen.open == []
    for link in seen.links:
        if link.startswith("#"):
            assert link[1:] in seen.ids
        elif not link.startswith("data:"):
            assert "/" not in link
            assert (folder / unquote(link)).is_file(), link
    assert {unquote(link) for link in seen.links} >= {path.name for path in folder.iterdir()} - {"index.html"}
    assert not re.search(r"https?://|@import|url\(", (folder / "index.html").read_text())
    assert seen.tags.count("audio") == 9


def test_names_are_text_not_markup(folder):
    seen = Page((folder / "index.html").read_text())
    assert NAME in seen.text
    assert "<b> &" not in (folder / "index.html").read_text()


def with_reliability(folder, random_model, reliability) -> tuple[str, object]:
    """The page of an analysis whose standard errors leave so much of the weights' variance."""
    track = load_track(folder.parent / NAME)
    analysis = load_analysis(folder.parent / "a.npz")
    errors = np.sqrt(analysis.weights.var(0) * (1 - np.array(reliability)))
    errors = np.broadcast_to(errors, analysis.weights.shape).astype(np.float32)
    changed = dataclasses.replace(analysis, standard_errors=errors)
    heard = predict_track(track, random_model)
    files = explanation_paths(folder, MIDLEVEL)
    return render_html(track, changed, heard, files, MIDLEVEL, [], excerpt_s=(0, 4)), changed


def test_a_feature_that_is_not_reliable_says_so(folder, random_model):
    text, analysis = with_reliability(folder, random_model, [0.97] * 6 + [0.67])
    assert "Not reliable: modality." in Page(text).text
    assert Page(text).text.count("Not reliable") == 2, "on top, and in its own section"
    line = reliability_warning(analysis, MIDLEVEL)
    assert line.startswith("not reliable: modality (0.67);")
    assert reliability_warning(analysis, MIDLEVEL[:6]) is None
    text, _ = with_reliability(folder, random_model, [0.97] * 7)
    assert "ot reliable" not in Page(text).text


def test_render_says_so_of_the_faders_that_it_moves(folder, random_model, capsys):
    from moodfader.engine.analysis.analysis_file import save_analysis

    _, analysis = with_reliability(folder, random_model, [0.97] * 6 + [0.67])
    shaky = folder.parent / "shaky.npz"
    save_analysis(analysis, shaky)
    common = ["--analysis", str(shaky), "--model", str(random_model.path), "--overwrite"]
    start = ["render", str(folder.parent / NAME), "-o", str(folder.parent / "out.wav"), *common]
    assert run([*start, "--set", "modality=3"]) == 0
    assert "not reliable: modality" in capsys.readouterr().err
    assert run([*start, "--set", "dissonance=3"]) == 0
    assert "not reliable" not in capsys.readouterr().err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_shows_it_on_a_phone(folder):
    """At 360 pixels: no sideways scrolling of the page, every picture drawn, every sound's length known."""
    wrapper = folder / "wrapper.html"
    wrapper.write_text("""<iframe src="index.html" width="360" height="9000"></iframe><pre id="out"></pre><script>
    onload = () => setTimeout(() => {
      const page = document.querySelector("iframe").contentDocument;
      document.getElementById("out").textContent = JSON.stringify({
        width: page.documentElement.scrollWidth,
        pictures: [...page.images].map(image => image.complete && image.naturalWidth > 0),
        sounds: [...page.querySelectorAll("audio")].map(audio => audio.duration),
      });
    }, 1500); </script>""")
    try:
        shown = subprocess.run(
            [
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
                "--virtual-time-budget=20000", "--dump-dom", wrapper.as_uri(),
            ],
            capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip
    finally:
        wrapper.unlink()
    found = json.loads(re.search(r'<pre id="out">(.*?)</pre>', shown).group(1))
    assert found["width"] <= 360
    assert found["pictures"] == [True] * 7
    assert found["sounds"] == pytest.approx([2.0] * 9, abs=0.01)
