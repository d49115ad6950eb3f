"""Tags go over from every kind of file to every kind that is written, and never get in the way."""

import itertools

import mutagen
import numpy as np
import pytest
import soundfile
from moodfader.engine.render.tags import copy_tags, read_tags
from mutagen.flac import Picture
from mutagen.id3 import APIC, COMM, TCMP, TIT2, TPE1, TPUB, TRCK, TSOP, TXXX, USLT
from mutagen.mp4 import MP4Cover

COVER = b"\x89PNG\r\n\x1a\n" + bytes(200)


def sound_file(path):
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, (44100, 2))
    if path.suffix == ".m4a":
        import av

        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("aac", rate=44100, layout="stereo")
            frame = av.AudioFrame.from_ndarray(sound.T.astype(np.float32).copy(), format="fltp", layout="stereo")
            frame.sample_rate = 44100
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        soundfile.write(path, sound, 44100)
    return path


def tagged(path):
    """A sound file with a title in two scripts, an artist, a track number, a comment, a cover, and untrue gains."""
    file = mutagen.File(sound_file(path))
    if file.tags is None:
        file.add_tags()
    if path.suffix in (".flac", ".ogg"):
        file["title"], file["artist"], file["tracknumber"] = "Abend 夕方", ["A", "B"], "3/9"
        file["comment"], file["replaygain_track_gain"] = "by hand", "-7 dB"
        picture = Picture()
        picture.data, picture.mime, picture.type = COVER, "image/png", 3
        if path.suffix == ".flac":
            file.add_picture(picture)
    elif path.suffix == ".m4a":
        file["\xa9nam"], file["\xa9ART"], file["trkn"], file["\xa9cmt"] = (
            "Abend 夕方",
            ["A", "B"],
            [(3, 9)],
            "by hand",
        )
        file["covr"] = [MP4Cover(COVER, MP4Cover.FORMAT_PNG)]
    else:
        for frame in (
            TIT2(encoding=3, text="Abend 夕方"),
            TPE1(encoding=3, text=["A", "B"]),
            TRCK(encoding=3, text="3/9"),
            COMM(encoding=3, lang="eng", desc="", text="by hand"),
            COMM(encoding=3, lang="eng", desc="iTunNORM", text="000001"),
            TXXX(encoding=3, desc="replaygain_track_gain", text="-7 dB"),
            APIC(encoding=3, mime="image/png", type=3, desc="", data=COVER),
        ):
            file.tags.add(frame)
    file.save()
    return path


SOURCES = [".mp3", ".m4a", ".flac", ".ogg", ".wav", ".aiff"]
EXPECTED = {"title": ["Abend 夕方"], "artist": ["A", "B"], "tracknumber": ["3/9"], "comment": ["by hand"]}


@pytest.mark.parametrize(("source", "destination"), [*itertools.product(SOURCES, [".wav", ".flac", ".ogg"])])
def test_tags_go_over_and_the_sound_stays(tmp_path, source, destination):
    old, new = tagged(tmp_path / f"old{source}"), sound_file(tmp_path / f"new{destination}")
    before = soundfile.read(new)[0]
    assert copy_tags(old, new)
    tags = read_tags(new)
    assert tags.fields == EXPECTED
    assert [picture.data for picture in tags.pictures] == ([] if source == ".ogg" else [COVER])
    np.testing.assert_array_equal(soundfile.read(new)[0], before)


def test_a_cover_in_an_ogg_file_goes_over_too(tmp_path):
    first, second = sound_file(tmp_path / "first.ogg"), sound_file(tmp_path / "second.flac")
    copy_tags(tagged(tmp_path / "old.flac"), first)
    copy_tags(first, second)
    assert mutagen.File(second).pictures[0].data == COVER


@pytest.mark.parametrize("ending", ["flac", "ogg", "wav"])
def test_a_cover_too_large_for_the_format_costs_no_other_field(tmp_path, ending):
    source = tagged(tmp_path / "in.wav")
    file = mutagen.File(source)
    file.tags.delall("APIC")
    file.tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=COVER + bytes(1 << 24)))
    file.save()
    destination = sound_file(tmp_path / f"out.{ending}")
    assert copy_tags(source, destination)
    found = read_tags(destination)
    assert found.fields["title"] == ["Abend 夕方"]
    assert len(found.pictures) == (ending != "flac")  # (a block of FLAC has 16 MiB at most)


@pytest.mark.parametrize("ending", ["flac", "ogg", "wav"])
def test_lyrics_label_and_names_to_sort_by_go_over_from_id3(tmp_path, ending):
    source = tagged(tmp_path / "in.wav")
    file = mutagen.File(source)
    file.tags.add(USLT(encoding=3, lang="eng", desc="", text="la la\nla"))
    for frame, text in ((TPUB, "Label"), (TSOP, "B, A"), (TCMP, "1")):
        file.tags.add(frame(encoding=3, text=text))
    file.save()
    destination = sound_file(tmp_path / f"out.{ending}")
    assert copy_tags(source, destination)
    found = read_tags(destination).fields
    wanted = {"lyrics": "la la\nla", "organization": "Label", "artistsort": "B, A", "compilation": "1"}
    assert {name: found.get(name) for name in wanted} == {name: [text] for name, text in wanted.items()}


@pytest.mark.parametrize("ending", ["flac", "ogg", "wav"])
@pytest.mark.parametrize("date", ["2020-05-01", "May 2020"])
def test_a_date_goes_over_as_it_is_written(tmp_path, ending, date):
    source = tagged(tmp_path / "in.flac")
    file = mutagen.File(source)
    file["date"], file["originaldate"] = date, date
    file.save()
    destination = sound_file(tmp_path / f"out.{ending}")
    assert copy_tags(source, destination)
    found = read_tags(destination).fields
    assert (found["date"], found["originaldate"]) == ([date], [date])


def test_files_without_tags_or_with_broken_ones_do_no_harm(tmp_path):
    plain, new = sound_file(tmp_path / "plain.wav"), sound_file(tmp_path / "new.flac")
    assert not copy_tags(plain, new)
    (tmp_path / "broken.mp3").write_bytes(b"ID3\x04\x00\x00\x00\x00\x0f\x7fTIT2" + bytes(50))
    assert not copy_tags(tmp_path / "broken.mp3", new)
    (tmp_path / "foreign.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(30))
    assert not copy_tags(tmp_path / "foreign.mp4", new)
    old = tagged(tmp_path / "old.flac")
    (tmp_path / "raw.wav").write_bytes(b"RIFF....")
    assert not copy_tags(old, tmp_path / "raw.wav")
