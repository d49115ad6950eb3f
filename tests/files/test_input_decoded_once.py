"""How often sound is decoded: the input of a render once to be measured and once to be steered, its output once."""

import pytest
from helpers.program import IS_OTHER
from moodfader.engine.audio import track

pytestmark = pytest.mark.skipif(IS_OTHER, reason="counts calls inside this installation")


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that are decoded, in order."""
    names: list[str] = []
    decode = track.decode

    def counted(source, **options):
        names.append(source.path.name)
        return decode(source, **options)

    monkeypatch.setattr(track, "decode", counted)
    return names


def test_render_decodes_its_input_twice_and_its_output_once(program, decoded, sound, model_file, tmp_path):
    song = sound("song.mp3", 3.0, rate=44100)
    common = ["--model", model_file, "--passes", "64", "--set", "modality=3", "--overwrite"]
    assert program("render", song, "-o", tmp_path / "out.wav", *common).code == 0
    assert decoded.count("song.mp3") == 2
    assert len(decoded) == 3


def test_predict_and_analyze_decode_once(program, decoded, sound, model_file, tmp_path):
    song = sound("song.wav", 3.0)
    program("predict", song, "--model", model_file)
    program("analyze", song, "--model", model_file, "--passes", "64", "-o", tmp_path / "a.npz")
    assert decoded == ["song.wav"] * 2
