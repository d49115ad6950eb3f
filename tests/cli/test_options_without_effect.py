"""An option that can have no effect beside another one is refused, not passed over."""

import json

import pytest


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--quality", "draft"), "--quality draft: {} was made with full"),
        (("--estimator", "lime"), "--estimator lime: {} was made with gradient"),
        (("--perturbation", "mask"), "--perturbation mask: {} was made with gain"),
        (("--coupled",), "--coupled: {} was made without it"),
        (("--evaluations", "128"), "--evaluations 128: {} was made with"),
        (("--seed", "5"), "--seed 5: {} was made with 0"),
    ],
)
@pytest.mark.parametrize("command", ["render", "render --dry-run", "explain"])
def test_a_stored_analysis_goes_with_no_settings_but_its_own(
    command, options, words, song, analysis_file, model_file, refused, place
):
    output = place / ("out.wav" if command.startswith("render") else "why")
    arguments = [*command.split(), song, "-o", output, "--analysis", analysis_file, "--model", model_file, *options]
    refused(arguments, words.format(analysis_file), place=place)


def test_settings_that_agree_with_the_stored_analysis_are_no_mistake(song, analysis_file, model_file, place, capsys):
    from moodfader.control.cli import run

    common = ["--analysis", str(analysis_file), "--model", model_file, "--seed", "0", "--estimator", "gradient"]
    assert run(["render", str(song), "-o", str(place / "out.wav"), *common]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("options", [("--ceiling", "-3"), ("--dither",), ("--no-dither",), ("--as-live",)])
def test_a_performance_has_its_own_ceiling_and_faders(options, song, model_file, refused, place, tmp_path):
    head = {
        "format": "moodfader-performance",
        "version": 1,
        "sample_rate": 22050,
        "channels": 1,
        "ceiling_dbtp": -1.0,
    }
    lines = (
        head | {"tracks": [str(song)], "faders": "decoupled"},
        {"at": 0, "address": "/moodfader/transport/play", "value": True},
        {"at": 4410, "end": True},
    )
    show = tmp_path / "show.jsonl"
    show.write_text("".join(json.dumps(line) + "\n" for line in lines))
    arguments = ["render", song, "-o", place / "out.wav", "--automation", show, "--model", model_file, *options]
    refused(arguments, "--automation", place=place)


@pytest.mark.parametrize(("name", "depth"), [("out.wav", "24"), ("out.flac", "24"), ("out.ogg", "16")])
def test_what_is_not_written_in_sixteen_bits_is_not_dithered(name, depth, song, model_file, refused, place):
    arguments = ["render", song, "-o", place / name, "--model", model_file, "--bit-depth", depth, "--dither"]
    refused(arguments, "--dither: has no effect here", place=place)
