"""Files that were made to break a program, or broke on their way: one line, exit code 2, nothing written."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from files.conftest import peak_memory
from moodfader.control.cli import run
from safetensors.numpy import save_file

DEEP = "[" * 100_000 + "]" * 100_000
HEAD = {
    "format": "moodfader-performance",
    "version": 1,
    "sample_rate": 22050,
    "channels": 1,
    "ceiling_dbtp": -1.0,
}


@pytest.fixture
def refused_quietly(program_line, tmp_path):
    """A command that is refused in one line leaves no file, and takes no memory to speak of."""

    def go(*arguments: object) -> str:
        run(["predict", "no such file"])  # (imports what predicting needs)
        before = sorted(tmp_path.rglob("*"))
        with peak_memory() as rise_mb:
            line = program_line(*arguments)
        assert sorted(tmp_path.rglob("*")) == before
        assert rise_mb() < 600
        return line

    return go


# automation


def automation(path, *lines, **head):
    first = json.dumps({**HEAD, "tracks": ["song.wav"], **head})
    path.write_text(
        "\n".join([first, *(line if isinstance(line, str) else json.dumps(line) for line in lines)]) + "\n"
    )
    return path


def change(address: str, value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    return f'{{"at": 0, "address": "/moodfader/{address}", "value": {shown}}}'


PLAY = change("transport/play", True)
END = '{"at": 22050, "end": true}'


@pytest.mark.parametrize(
    "lines",
    [
        [change("master", "NaN"), PLAY, END],
        [change("master", "Infinity"), PLAY, END],
        [change("master", "1e999"), PLAY, END],
        [change("master", 400), PLAY, END],
        [change("master", '"loud"'), PLAY, END],
        [change("midlevel/modality", -13), PLAY, END],
        [change("wet", 7), PLAY, END],
        [change("transport/seek", -1e30), PLAY, END],
        [change("transport/track", 5), PLAY, END],
        ['{"at": 0, "address": "/moodfader/track/ready", "value": 3, "digest": "x", "model": "y"}', END],
        [PLAY, '{"at": 100000000000000000000, "end": true}'],
        [PLAY, '{"at": 9000000000000000000, "end": true}'],
        [PLAY, '{"at": %s, "end": true}' % ("9" * 5000)],
        [PLAY, DEEP, END],
        [PLAY, '{"at": NaN, "end": true}'],
        [PLAY, '{"a": ' * 5000 + "1" + "}" * 5000, END],
    ],
)
def test_a_hostile_automation_is_refused(refused_quietly, song, model_file, tmp_path, lines):
    file = automation(tmp_path / "a.jsonl", *lines)
    output = tmp_path / "out.wav"
    line = refused_quietly("render", song, "--automation", file, "-o", output, "--model", model_file)
    assert "a.jsonl, line " in line
    assert len(line) < 400


@pytest.mark.parametrize(
    "head",
    [
        {"tracks": 5},
        {"tracks": ["a\0b"]},
        {"tracks": [DEEP]},
        {"sample_rate": 10**400},
        {"ceiling_dbtp": 10**400},
        {"channels": 10**15},
        {"version": 10**30},
        {"tracks": ["x" * 5000]},
    ],
)
def test_a_hostile_first_line_of_an_automation_is_refused(refused_quietly, song, model_file, tmp_path, head):
    file = automation(tmp_path / "a.jsonl", PLAY, END, **head)
    line = refused_quietly("render", song, "--automation", file, "-o", tmp_path / "o.wav", "--model", model_file)
    assert len(line) < 6000


def test_a_performance_of_a_whole_night_does_not_fill_the_disk(program_line, song, model_file, tmp_path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**9))
    file = automation(tmp_path / "a.jsonl", PLAY, '{"at": 1900000000, "end": true}')
    line = program_line("render", song, "--automation", file, "-o", tmp_path / "o.wav", "--model", model_file)
    assert "5.7 GB" in line
    assert not (tmp_path / "o.wav").exists()


# analyses


def rewritten(source, target, change):
    """An analysis whose members went through `change(name, content)`; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = change(info.filename.removesuffix(".npy"), old.read(info))
            if content is not None:
                new.writestr(info.filename, content)
    return target


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(shape: str, dtype: str = "<f4") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def array(content: bytes) -> np.ndarray:
    return np.load(io.BytesIO(content))


def described(content: bytes, **fields: object) -> bytes:
    values = json.loads(array(content).tobytes()) | fields
    return npy(np.frombuffer(json.dumps(values).encode(), np.uint8))


HOSTILE_ANALYSES = {
    "an array header of 10^12": ("weights", lambda old: header("(1000000000000, 7)")),
    "an array of gigabytes": ("weights", lambda old: header("(150000000, 7)") + bytes(200_000_000)),
    "a description of 200 MB": ("description", lambda old: header("(200000000,)", "|u1") + bytes(200_000_000)),
    "fewer frames than its track": ("segments", lambda old: npy(array(old)[:20])),
    "more frames than its track": ("segments", lambda old: npy(np.repeat(array(old), 3, axis=0))),
    "NaN response": ("response_per_db", lambda old: npy(array(old) * np.float32("nan"))),
    "infinite R2": ("surrogate_r2", lambda old: npy(array(old) + np.float32("inf"))),
    "p values beyond 1": ("p_values", lambda old: npy(array(old) + 2)),
    "negative errors": ("standard_errors", lambda old: npy(-1 - array(old))),
    "deep description": ("description", lambda old: npy(np.frombuffer(DEEP[:30000].encode(), np.uint8))),
    "duration of NaN": ("description", lambda old: described(old, duration_s=float("nan"))),
    "duration of 5,000 digits": ("description", lambda old: described(old, duration_s=10**4000)),
    "duration negative": ("description", lambda old: described(old, duration_s=-3)),
    "settings that are none": ("description", lambda old: described(old, settings={"estimator": ["x"]})),
    "settings of text": ("description", lambda old: described(old, settings={"passes": "many"})),
    "a pickle": ("weights", lambda old: header("(3,)", "|O") + b"cos\nsystem\n"),
    "a header of code": ("weights", lambda old: header("__import__('os')")),
    "an array less": ("p_values", lambda old: None),
}


@pytest.mark.parametrize("command", ["render", "explain"])
@pytest.mark.parametrize("kind", HOSTILE_ANALYSES)
def test_a_hostile_analysis_is_refused(refused_quietly, song, analysis_file, model_file, tmp_path, command, kind):
    member, make = HOSTILE_ANALYSES[kind]
    file = rewritten(analysis_file, tmp_path / "a.npz", lambda name, old: make(old) if name == member else old)
    output = tmp_path / ("out.wav" if command == "render" else "out")
    line = refused_quietly(command, song, "--analysis", file, "-o", output, "--model", model_file)
    assert "a.npz" in line


def test_a_hostile_analysis_is_not_taken_for_an_output(refused_quietly, song, model_file, tmp_path):
    file = tmp_path / "a.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("description.npy", header("(3000000000,)", "|u1") + bytes(300_000_000))
    assert "not an analysis" in refused_quietly("analyze", song, "-o", file, "--model", model_file)


# models


def model_of(path, tensors, **metadata):
    save_file(
        tensors,
        path,
        metadata={"moodfader-model": json.dumps({"format": "moodfader-model", "version": 1, **metadata})},
    )
    return path


def altered_model(source, target, alter):
    """A model with other weights, whose checksum fits them."""
    import hashlib

    from safetensors import safe_open

    with safe_open(source, framework="np") as file:
        metadata = json.loads(file.metadata()["moodfader-model"])
        tensors = alter({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    digest = hashlib.sha256()
    for name in sorted(tensors):
        kind = {"float32": "torch.float32", "int64": "torch.int64"}[str(tensors[name].dtype)]
        digest.update(f"{name} {tuple(tensors[name].shape)} {kind}\n".encode() + tensors[name].tobytes())
    return model_of(target, tensors, **(metadata | {"sha256": digest.hexdigest()}))


def scaled(factor):
    return lambda tensors: {n: t * np.float32(factor) if t.dtype == np.float32 else t for n, t in tensors.items()}


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e30])
def test_a_model_of_impossible_weights_is_refused(refused_quietly, song, model_file, tmp_path, factor):
    file = altered_model(model_file, tmp_path / "m.safetensors", scaled(factor))
    assert "m.safetensors" in refused_quietly("predict", song, "--model", file)


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 200_000) + DEEP.encode(),
        struct.pack("<Q", 90)
        + b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'.ljust(90),
        b"",
        bytes(100),
    ],
)
def test_a_hostile_model_is_refused(refused_quietly, song, tmp_path, content):
    file = tmp_path / "m.safetensors"
    file.write_bytes(content)
    assert "m.safetensors" in refused_quietly("predict", song, "--model", file)


@pytest.mark.parametrize(
    "metadata",
    [
        {"architecture": ["small"]},
        {"architecture": "small", "sha256": 5, "record": {}},
        {"version": [[]]},
        {"architecture": "x" * 100_000},
    ],
)
def test_a_model_with_odd_metadata_is_refused(refused_quietly, song, tmp_path, metadata):
    file = model_of(tmp_path / "m.safetensors", {"a": np.zeros(3, np.float32)}, **metadata)
    assert len(refused_quietly("predict", song, "--model", file)) < 400


def test_a_model_with_deep_metadata_is_refused(refused_quietly, song, tmp_path):
    file = tmp_path / "m.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, file, metadata={"moodfader-model": DEEP})
    assert "m.safetensors" in refused_quietly("predict", song, "--model", file)


# presets and mappings


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "config" / "presets"
    folder.mkdir(parents=True)
    return folder


HOSTILE_TOML = {
    "deep": "x = " + DEEP,
    "deep tables": "x = " + "{a=" * 5000 + "1" + "}" * 5000,
    "dotted": ".".join(["a"] * 20000) + " = 1",
    "digits": "[gains_db]\nmodality = " + "9" * 5000,
    "hexadecimal digits": "[gains_db]\nmodality = 0x" + "f" * 5000,
    "infinity": "[gains_db]\nmodality = inf",
    "NaN": "[gains_db]\nmodality = nan",
    "out of range": "[gains_db]\nmodality = 12.5",
    "large": "# " + "x" * 10_000_000,
    "date": "[gains_db]\nmodality = 1979-05-27",
}


@pytest.mark.parametrize("kind", HOSTILE_TOML)
def test_a_hostile_preset_is_refused(refused_quietly, song, model_file, config, tmp_path, kind):
    (config / "mine.toml").write_text(HOSTILE_TOML[kind])
    line = refused_quietly("render", song, "-o", tmp_path / "o.wav", "--preset", "mine", "--model", model_file)
    assert "mine.toml" in line
    assert len(line) < 400


@pytest.mark.parametrize("kind", HOSTILE_TOML)
def test_one_broken_preset_does_not_hide_the_others(program, config, kind):
    (config / "mine.toml").write_text(HOSTILE_TOML[kind])
    (config / "fine.toml").write_text("[gains_db]\nmodality = 3\n")
    ended = program("presets", "list")
    assert ended.code == 2
    assert "dolente" in ended.out
    assert "fine" in ended.out
    assert "mine.toml" in ended.err
    assert "Traceback" not in ended.err


def test_a_preset_with_a_byte_order_mark_is_read(program, config):
    (config / "mine.toml").write_bytes(b'\xef\xbb\xbfsummary = "From Windows."\r\n[gains_db]\r\nmodality = 3\r\n')
    assert "From Windows." in program("presets", "show", "mine").out


@pytest.mark.parametrize(
    "text",
    [
        "control = " + DEEP,
        '[[control]]\naddress = "/moodfader/wet"\nchannel = ' + "9" * 5000 + "\nnumber = 1",
        '[[control]]\naddress = "/moodfader/wet"\nchannel = 1\nnumber = nan',
        '[[control]]\naddress = "/moodfader/wet"\nchannel = 1\nnumber = 0x' + "f" * 5000,
        '[[control]]\naddress = ["/moodfader/wet"]\nchannel = 1\nnumber = 1',
        '[[control]]\naddress = "/moodfader/wet"\nchannel = 1\nnumber = 1\nmode = []',
    ],
)
def test_a_hostile_midi_mapping_is_refused(program_line, config, text):
    (config.parent / "midi.toml").write_text(text)
    line = program_line("midi", "forget", "/moodfader/wet")
    assert "midi.toml" in line
    assert len(line) < 400
