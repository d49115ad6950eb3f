"""Every file format that is read, fuzzed: an InputError of one line or an answer, in bounded memory, no file left."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
import soundfile
from files.conftest import peak_memory, plucked
from fuzz.mutation import Mutator, archive_mutated, bytes_mutated, text_mutated
from moodfader.control.midi.mapping_file import read_mapping
from moodfader.control.report.summary import read_record
from moodfader.control.session.presets import read_preset
from moodfader.engine import load_analysis, load_track
from moodfader.engine.analysis.analysis_file import load_tables
from moodfader.engine.file_targets.curve import read_curve
from moodfader.engine.performance.automation_file import read_automation
from moodfader.engine.render.tags import copy_tags
from moodfader.models.common.errors import InputError
from moodfader.models.datasets.table import read_sweeps, read_table
from moodfader.models.datasets.teacher_embeddings import read_embeddings
from moodfader.models.inference.checkpoint import load_model
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, TIT2, TXXX

RATE = 8000
QUICK, FULL = 300, 10_000
MAX_MB = 600


class Format(NamedTuple):
    """Seeds of a format, how they are broken, and what reads them."""

    seeds: Sequence[Path]
    mutate: Mutator
    read: Callable[[Path], object]


def sounds(folder: Path) -> list[Path]:
    found = []
    for ending, options in {
        "wav": {}, "flac": {}, "aiff": {}, "ogg": {}, "opus": {"format": "OGG", "subtype": "OPUS"}, "mp3": {},
        "w64": {}, "rf64": {"format": "RF64"}, "caf": {}, "au": {},
    }.items():  # fmt: skip
        found.append(folder / f"a.{ending}")
        soundfile.write(found[-1], plucked(1.1, 2, RATE), RATE, **options)
    found.append(folder / "extensible.wav")
    soundfile.write(found[-1], plucked(1.1, 4, RATE), RATE, format="WAVEX")
    for name, codec in (("a.m4a", "aac"), ("a.mka", "flac"), ("a.wv", "wavpack"), ("a.webm", "libopus")):
        found.append(folder / name)
        rate = 48000 if codec == "libopus" else RATE
        with av.open(str(found[-1]), "w") as container:
            stream = container.add_stream(codec, rate=rate, layout="mono")
            frame = av.AudioFrame.from_ndarray(plucked(1.1, 1, rate).T.copy(), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, 0
            resampler = av.AudioResampler(
                format=stream.codec_context.format,
                layout="mono",
                rate=rate,
                frame_size=stream.codec_context.frame_size,
            )
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
    return found


def tagged(folder: Path) -> list[Path]:
    found = [folder / f"t.{ending}" for ending in ("mp3", "flac", "ogg", "wav")]
    for path in found:
        soundfile.write(path, plucked(1.1, 1, RATE), RATE)
    tags = ID3()
    for frame in (
        TIT2(encoding=3, text="Title"),
        TXXX(encoding=1, desc="mood", text=["a", "b"]),
        COMM(encoding=3, lang="eng", desc="", text="comment"),
        APIC(encoding=3, mime="image/png", type=3, desc="", data=bytes(300)),
    ):
        tags.add(frame)
    tags.save(found[0])
    flac = FLAC(found[1])
    flac["title"] = "Title"
    picture = Picture()
    picture.data, picture.mime, picture.type = bytes(300), "image/png", 3
    flac.add_picture(picture)
    flac.save()
    info = b"INFOINAM\x06\0\0\0Title\0IART\x04\0\0\0Name"
    content = found[3].read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    found[3].write_bytes(content)
    return found


AUTOMATION = """\
{"format": "moodfader-performance", "version": 1, "sample_rate": 44100, "channels": 2, "ceiling_dbtp": -1.0, \
"tracks": ["song.flac", "other.wav"]}
{"at": 0, "address": "/moodfader/transport/play", "value": true, "source": "command"}
{"at": 51200, "address": "/moodfader/midlevel/modality", "value": 6.0}
{"at": 90112, "address": "/moodfader/track/ready", "value": 0, "digest": "aa", "model": "bb"}
{"at": 90200, "address": "/moodfader/master", "value": -3.5}
{"at": 90300, "address": "/moodfader/transport/seek", "value": 12.5}
{"at": 910336, "end": true}
"""
PRESET = 'summary = "What it is for."\n\n[gains_db]\nmelodiousness = 6.0\nmodality = -3\n'
MAPPING = """\
[[control]]
address = "/moodfader/midlevel/articulation"
channel = 1
number = 7
mode = "14bit"

[[control]]
address = "/moodfader/bypass"
channel = 2
number = 60
"""
TABLE = "file,group,valence,known_modality,modality,quality,series,kind\n" + "".join(
    f"a.wav,g{k},0.{k},0.{k},0.{9 - k},modality,s{k % 2},composed\n" for k in range(8)
)

CURVE = "time_s,tender,tension\n0,0,0\n12.5,0.10,-0.05\n20,0.05,0\n"
RECORD = """\
{"title": "a", "pearson_r": {"emotions": {"sad": 0.7}}, \
"findings": {"emotions": {"mean": {"r": {"value": 0.7, "low": 0.6, "high": 0.8}}}}}
"""


def text(folder: Path, name: str, *contents: str) -> list[Path]:
    paths = [folder / f"{number}{name}" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content, encoding="utf-8")
    return paths


def embeddings(path: Path) -> Path:
    rng = np.random.default_rng(0)
    names = np.array([f"{number:03}.mp3" for number in range(9)])
    np.savez(path, set1_mean=rng.normal(size=(9, 12)).astype("f4"), set1_files=names)
    return path


@pytest.fixture(scope="session")
def formats(tmp_path_factory, quick_analysis, model_file) -> dict[str, Format]:
    folder = tmp_path_factory.mktemp("seeds")
    containers = sounds(folder)
    target = folder / "target.wav"
    soundfile.write(target, plucked(1.1, 1, RATE), RATE)

    def tags(path: Path) -> None:
        shutil.copy(target, path.with_name("copy.wav"))
        copy_tags(path, path.with_name("copy.wav"))
        assert soundfile.info(path.with_name("copy.wav")).frames == soundfile.info(target).frames
        path.with_name("copy.wav").unlink()

    def analysis(path: Path) -> None:
        load_tables(path, ("segments", "mask_weights"))
        load_analysis(path)

    def table(path: Path) -> None:
        read_table(path)
        read_sweeps(path)

    return {
        "sound": Format(containers, bytes_mutated, load_track),
        "tags": Format(tagged(folder), bytes_mutated, tags),
        "automation": Format(text(folder, ".jsonl", AUTOMATION), text_mutated, read_automation),
        "analysis": Format([quick_analysis(target, folder / "a.npz")], archive_mutated, analysis),
        "checkpoint": Format([Path(model_file)], bytes_mutated, lambda path: load_model(path)),
        "preset": Format(text(folder, ".toml", PRESET), text_mutated, read_preset),
        "mapping": Format(text(folder, "m.toml", MAPPING), text_mutated, read_mapping),
        "curve": Format(text(folder, "c.csv", CURVE), text_mutated, lambda path: read_curve(path, duration_s=15.0)),
        "record": Format(text(folder, ".json", RECORD), text_mutated, read_record),
        "embeddings": Format([embeddings(folder / "e.npz")], archive_mutated, read_embeddings),
        "table": Format(
            text(folder, ".csv", TABLE, "sep=;\n" + TABLE.replace(",", ";"), TABLE.replace(",", "\t")),
            text_mutated,
            table,
        ),
    }


NAMES = (
    *("sound", "tags", "automation", "analysis", "checkpoint", "preset", "mapping", "table"),
    *("curve", "record", "embeddings"),
)


def fuzzed(form: Format, folder: Path, *, seed: int, count: int) -> dict[str, int]:
    """Read so many broken files; how many were refused and how many read."""
    contents = {path: path.read_bytes() for path in form.seeds}
    for path in form.seeds:  # what stands in a table beside it
        if path.name.endswith("0.csv") and not (folder / "a.wav").exists():
            soundfile.write(folder / "a.wav", plucked(1.1, 1, RATE), RATE)
    there = sorted(folder.iterdir())
    ends = {"refused": 0, "read": 0}
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        source = form.seeds[rng.integers(len(form.seeds))]
        path = folder / f"fuzzed{source.suffix}"
        path.write_bytes(form.mutate(rng, contents[source], list(contents.values())))
        try:
            form.read(path)
        except InputError as error:
            line = str(error)
            ends["refused"] += 1
        except BaseException as error:
            error.add_note(f"seed {seed}, number {number}, from {source.name}; the file is {path}")
            raise
        else:
            line = ""
            ends["read"] += 1
        assert "\n" not in line, (number, source)
        assert len(line) < 2000 + 2 * len(str(path)), (number, source)
        path.unlink()
        assert sorted(folder.iterdir()) == there, (number, source)
    return ends


@pytest.mark.parametrize("name", NAMES)
def test_hundreds_of_broken_files_are_read_or_refused(formats, tmp_path, name):
    with peak_memory() as rise_mb:
        ends = fuzzed(formats[name], tmp_path, seed=NAMES.index(name), count=QUICK)
    assert rise_mb() < MAX_MB
    assert name == "tags" or ends["refused"] > QUICK // 10


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ten_thousand_broken_files_are_read_or_refused(formats, tmp_path, name):
    with peak_memory() as rise_mb:
        ends = fuzzed(formats[name], tmp_path, seed=1000 + NAMES.index(name), count=FULL)
    print(name, ends, f"{rise_mb():.0f} MB")
    assert rise_mb() < MAX_MB
