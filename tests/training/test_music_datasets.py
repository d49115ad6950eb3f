"""Emotify, VGMIDI, EMOPIA and POP909: readers on small made-up copies of both layouts, and rendering."""

import csv
import json
import unicodedata
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.common.errors import InputError
from moodfader.models.common.paths import data_dir
from moodfader.models.composition.midi_parts import Note
from moodfader.models.datasets.clip_dataset import build_targets
from moodfader.models.datasets.emotify import GEMS, read_emotify
from moodfader.models.midi_datasets.emopia import read_emopia
from moodfader.models.midi_datasets.instrumentation import cut_excerpt, set_for_instruments, split_voices
from moodfader.models.midi_datasets.midi_notes import NoteTrack, read_note_tracks
from moodfader.models.midi_datasets.pop909 import read_pop909
from moodfader.models.midi_datasets.pop_setting import band_setting, beat_times
from moodfader.models.midi_datasets.rendered_sets import MidiPiece, rendered_clips
from moodfader.models.midi_datasets.vgmidi import read_vgmidi


def sound(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.sin(np.arange(22050) / 9), 22050)


def midi_file(path, notes=((0, 60), (1, 64), (2, 67), (3, 48)), tempo=500_000, pedal=False):
    """Notes (beat, pitch), each a beat long, in a track RIGHT HAND; the tempo doubles at the second beat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    midi = mido.MidiFile(type=1, ticks_per_beat=100)
    first = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo, time=0)])
    first.append(mido.MetaMessage("set_tempo", tempo=tempo // 2, time=200))
    track = mido.MidiTrack([mido.MetaMessage("track_name", name="MELODY", time=0)])
    if pedal:
        track.append(mido.Message("control_change", control=64, value=127, time=0))
    events = sorted(
        [(beat * 100, 1, pitch) for beat, pitch in notes] + [(beat * 100 + 99, 0, p) for beat, p in notes]
    )
    now = 0
    for tick, on, pitch in events:
        track.append(mido.Message("note_on", note=pitch, velocity=80 * on, time=tick - now))
        now = tick
    midi.tracks += [first, track]
    midi.save(path)
    return path


# Emotify


def emotify_as_published(folder, listeners=((1, 1), (1, 0), (0, 0))):
    """Two songs: 1 is classical, 201 the first electronic one; `listeners` tick (joyful, sadness) for both."""
    names = [" amazement", " solemnity", " tenderness", " nostalgia", " calmness", " power", " joyful_activation"]
    header = ["track id", " genre", *names, " tension", " sadness", " mood", " age"]
    rows = []
    for song, genre in ((1, "classical"), (201, "electronic")):
        for joyful, sad in listeners[: 3 if song == 1 else 1]:
            rows.append([song, genre, 0, 0, 0, 0, 0, 0, joyful, 0, sad, 1, 30])
        sound(folder / "emotifymusic" / genre / "1.ogg")
    folder.mkdir(exist_ok=True)
    with (folder / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return folder


def test_emotify_as_published_gives_shares_weighted_by_listeners(tmp_path):
    first, second = read_emotify(emotify_as_published(tmp_path))
    assert (first.genre, second.genre) == ("classical", "electronic")
    assert first.path.parts[-2:] == ("classical", "1.ogg")
    assert first.ratings["gems_joyful_activation"] == pytest.approx(2 / 3)
    assert first.ratings["gems_sadness"] == pytest.approx(1 / 3)
    assert first.ratings["felt_happy"] < second.ratings["felt_happy"] == pytest.approx(0.65)
    assert first.weight / second.weight == pytest.approx((3 / 15) / (1 / 13))
    assert first.group != second.group


def test_the_artist_of_the_tags_is_the_group(tmp_path):
    emotify_as_published(tmp_path)
    import mutagen.oggvorbis

    for path in tmp_path.rglob("*.ogg"):
        tagged = mutagen.oggvorbis.OggVorbis(path)
        tagged["artist"] = "Voices of Music"
        tagged.save()
    assert {clip.group for clip in read_emotify(tmp_path)} == {"voices of music"}


def test_felt_emotions_are_targets_of_their_own(tmp_path):
    targets = build_targets(read_emotify(emotify_as_published(tmp_path)))
    assert np.isfinite(targets["felt"][:, EMOTIONS.index("happy")]).all()
    assert np.isnan(targets["felt"][:, EMOTIONS.index("anger")]).all()
    assert np.isnan(targets["emotions"]).all()


def test_emotify_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match="no Emotify"):
        read_emotify(tmp_path)
    emotify_as_published(tmp_path)
    for path in tmp_path.rglob("*.ogg"):
        path.unlink()
    with pytest.raises(InputError, match="none of its songs has a sound file"):
        read_emotify(tmp_path)


@pytest.mark.skipif(not (data_dir() / "emotify").is_dir(), reason="no data folder (MOODFADER_DATA)")
def test_emotify_of_the_data_folder_is_as_its_own_table_says():
    folder = data_dir() / "emotify"
    clips = {clip.path.name: clip for clip in read_emotify(folder)}
    with (folder / "felt.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(clips) == len(rows) == 400
    for row in rows:
        clip = clips[Path(row["file"]).name]
        felt = {name: float(row[name]) for name in ("valence", "energy", "tension", "happy", "sad", "tender")}
        assert {name: clip.ratings[f"felt_{name}"] for name in felt} == pytest.approx(felt, abs=1e-4)
        assert clip.weight == pytest.approx(float(row["weight"]), abs=1e-3)
        assert (clip.group, clip.genre) == (row["group"], row["genre"])
        assert len([name for name in clip.ratings if name.startswith("gems_")]) == len(GEMS)


# VGMIDI, EMOPIA, POP909


def vgmidi_as_published(folder):
    names = ("Zelda_N64_Ocarina of Time_Lost Woods.mid", "Tetris_MusicA.mid", "missing.mid")
    for name in names[:2]:
        midi_file(folder / "labelled" / "midi" / name)
    heard = {
        f"piece{piece}_{listener}": {"valence": [-0.5, 0.5 * piece], "arousal": [0.1 * listener] * 2, "age": "21-25"}
        for piece in range(3)
        for listener in range(4)
    }
    pieces = {f"piece{n}": {"midi": name, "duration": 5} for n, name in enumerate(names)}
    content = json.dumps({"annotations": heard, "pieces": pieces})
    (folder / "labelled" / "annotations").mkdir()
    (folder / "labelled" / "annotations" / "vgmidi_raw_1.json").write_text(content)
    return folder


def test_vgmidi_as_published(tmp_path):
    pieces = read_vgmidi(vgmidi_as_published(tmp_path))
    assert [piece.group for piece in pieces] == ["ocarina of time", "tetris"]
    assert pieces[0].ratings == pytest.approx({"vgmidi_valence": 0.375, "vgmidi_energy": 0.575})
    assert pieces[1].ratings == pytest.approx({"vgmidi_valence": 0.5, "vgmidi_energy": 0.575})
    targets = build_targets(rendered(pieces))
    assert targets["vgmidi"][:, EMOTIONS.index("valence")] == pytest.approx([0.375, 0.5])
    assert np.isnan(targets["felt"]).all()


def rendered(pieces):
    from moodfader.models.datasets.table import Clip

    return [Clip(piece.path, piece.group, piece.ratings) for piece in pieces]


def test_vgmidi_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match="no VGMIDI"):
        read_vgmidi(tmp_path)
    for content, complaint in (("{", "not a readable JSON"), ("[1]", "a list"), ('{"annotations": {}}', "version")):
        (tmp_path / "vgmidi_raw_1.json").write_text(content)
        with pytest.raises(InputError, match=complaint):
            read_vgmidi(tmp_path)
    (tmp_path / "pieces.csv").write_text("file,group,valence,energy\nmidi/1.mid,game,0.5,0.5\n")
    with pytest.raises(InputError, match=r"row 2: no such MIDI file"):
        read_vgmidi(tmp_path)


@pytest.mark.parametrize(("table", "file"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_files_are_found_however_their_accents_are_written(tmp_path, table, file):
    midi_file(tmp_path / unicodedata.normalize(file, "caf\u00e9.mid"))
    name = unicodedata.normalize(table, "caf\u00e9.mid")
    (tmp_path / "pieces.csv").write_text(f"file,group,valence,energy\n{name},game,0.5,0.5\n", encoding="utf-8")
    (piece,) = read_vgmidi(tmp_path)
    assert piece.path.is_file()


def test_emopia_as_published_keeps_songs_together(tmp_path):
    names = ["Q1_a_song_0", "Q1_a_song_1", "Q3_b_0", "Q2_not_there_0"]
    for name in names[:3]:
        midi_file(tmp_path / "midis" / f"{name}.mid")
    rows = "\n".join(f"{name},{name[1]},A" for name in names)
    (tmp_path / "label.csv").write_text(f"ID,4Q,annotator\n{rows}\n")
    pieces = read_emopia(tmp_path)
    assert [piece.group for piece in pieces] == ["a_song", "a_song", "b"]
    assert pieces[2].ratings == {"emopia_valence": 0.0, "emopia_energy": 0.0}
    (tmp_path / "label.csv").write_text("ID,4Q,annotator\nQ1_a_song_0,5,A\n")
    with pytest.raises(InputError, match="row 2: 4Q is '5'"):
        read_emopia(tmp_path)


def test_pop909_as_published_gives_modes_of_long_stretches(tmp_path):
    song = tmp_path / "POP909" / "001"
    midi_file(song / "001.mid")
    midi_file(song / "versions" / "001-v1.mid")
    (song / "key_audio.txt").write_text("1.5\t40.0\tGb:maj\n40.0\t45.0\tC:maj\n45.0\t90.0\tEb:min\n")
    (song / "beat_midi.txt").write_text("".join(f"{0.1 + 0.5 * k} 1.0 0.0\n" for k in range(20)))
    pieces = read_pop909(tmp_path)
    assert [piece.stretch_s for piece in pieces] == [(1.5, 40.0), (45.0, 90.0)]
    assert [piece.bpm for piece in pieces] == pytest.approx([120.0, 120.0])
    modality = build_targets(rendered(pieces))["known"][:, MIDLEVEL.index("modality")]
    assert modality[0] < 0.5 < modality[1]
    (song / "key_audio.txt").write_text("1.5\t40.0\tdorian\n")
    with pytest.raises(InputError, match="line 1: key 'dorian'"):
        read_pop909(tmp_path)


DATA_COUNTS = {
    "vgmidi": (read_vgmidi, 200, 30),
    "emopia": (read_emopia, 1078, 387),
    "pop909": (read_pop909, 900, 800),
}


@pytest.mark.parametrize("kind", DATA_COUNTS)
def test_midi_of_the_data_folder(kind):
    reader, pieces, groups = DATA_COUNTS[kind]
    if not (data_dir() / kind).is_dir():
        pytest.skip("no data folder (MOODFADER_DATA)")
    found = reader(data_dir() / kind)
    assert len(found) >= pieces
    assert len({piece.group for piece in found}) >= groups
    assert read_note_tracks(found[0].path)


# notes, settings, rendering


def test_notes_follow_the_tempo(tmp_path):
    (track,) = read_note_tracks(midi_file(tmp_path / "a.mid"))
    assert track.name == "MELODY"
    assert [note.start for note in track.notes] == pytest.approx([0, 0.5, 1.0, 1.25])
    assert track.notes[0].duration == pytest.approx(0.495)


def test_the_pedal_holds_notes_until_they_are_struck_again_or_the_end(tmp_path):
    path = midi_file(tmp_path / "a.mid", notes=((0, 60), (1, 64), (3, 60)), pedal=True)
    (track,) = read_note_tracks(path)
    assert len(track.notes) == 3
    assert track.notes[0].duration == pytest.approx(1.25)  # struck again
    assert track.notes[1].duration == pytest.approx(0.9975, abs=0.01)  # held to the end


def test_what_is_no_midi_is_named(tmp_path):
    path = tmp_path / "a.mid"
    for content in (b"", b"MThd", b"RIFF" * 20, b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.mid"):
            read_note_tracks(path)


def test_voices_are_melody_accompaniment_and_bass():
    chord = [Note(0.0, 1.0, pitch, 80) for pitch in (36, 60, 64, 76)]
    melody, middle, bass = split_voices([*chord, Note(0.5, 0.3, 79, 80)])
    assert [note.pitch for note in melody] == [76, 79]
    assert [note.pitch for note in middle] == [60, 64]
    assert [note.pitch for note in bass] == [36]


def test_an_excerpt_cuts_notes_at_its_ends():
    notes = [Note(0.0, 3.0, 60, 80), Note(0.0, 2.1, 62, 80), Note(4.0, 9.0, 64, 80), Note(8.0, 1.0, 65, 80)]
    assert cut_excerpt(notes, 2.0, 5.0) == [Note(0.0, 1.0, 60, 80), Note(2.0, 3.0, 64, 80)]


def test_settings_differ_by_seed_and_keep_all_notes():
    notes = [Note(0.5 * k, 0.4, 48 + 3 * (k % 9), 80) for k in range(18)]
    settings = [set_for_instruments(notes, seconds=10, seed=seed) for seed in range(12)]
    programs = {
        tuple(m.program for track in midi.tracks for m in track if m.type == "program_change") for midi in settings
    }
    assert len(programs) > 6
    for midi in settings:
        assert sum(m.type == "note_on" for track in midi.tracks for m in track) == len(notes)
        assert midi.length == pytest.approx(10)


def test_a_band_plays_bass_and_drums_on_the_beats_of_the_song():
    beats = 60 / 100
    melody = NoteTrack("MELODY", tuple(Note(0.2 + beats * k, 0.4, 72, 80) for k in range(30)))
    piano = NoteTrack("PIANO", tuple(Note(0.2 + 4 * beats * k, 2.2, 50, 80) for k in range(8)))
    assert beat_times(np.array([n.start for n in melody.notes]), 100, 9.0)[:3] == pytest.approx([0.2, 0.8, 1.4])
    piece = MidiPiece(Path("song.mid"), "song", bpm=100.0)
    with_drums = 0
    for seed in range(6):
        midi = band_setting(piece, [melody, piano], 0.0, 9.0, seed)
        drums = [track for track in midi.tracks if any(m.type == "note_on" and m.channel == 9 for m in track)]
        with_drums += len(drums)
        for track in drums:
            tick, kicks = 0, []
            for message in track:
                tick += message.time
                if message.type == "note_on" and message.note in (36, 38):
                    kicks.append(tick / 1000)
            phase = (np.array(kicks) - 0.2) / (beats / 2)
            assert np.abs(phase - phase.round()).max() < 0.01
    assert 3 <= with_drums <= 6


def test_excerpts_are_rendered_once_and_in_other_instruments(tmp_path):
    pytest.importorskip("mido")
    path = midi_file(tmp_path / "song.mid", notes=[(k, 48 + 5 * (k % 6)) for k in range(40)])
    piece = MidiPiece(path, "song", {"vgmidi_valence": 0.3}, weight=0.5)
    try:
        clips = rendered_clips([piece], tmp_path / "rendered", excerpts=2, seed=1, seconds=2.0, workers=1)
    except InputError as error:
        pytest.skip(str(error))
    assert [(clip.group, clip.ratings, clip.weight) for clip in clips] == [("song", {"vgmidi_valence": 0.3}, 0.5)] * 2
    first, second = (soundfile.read(clip.path)[0] for clip in clips)
    assert len(first) == len(second) == 44100
    assert np.abs(first).max() > 0.1
    assert np.corrcoef(np.abs(np.fft.rfft(first)), np.abs(np.fft.rfft(second)))[0, 1] < 0.99
    times = [clip.path.stat().st_mtime_ns for clip in clips]
    again = rendered_clips([piece], tmp_path / "rendered", excerpts=2, seed=1, seconds=2.0, workers=1)
    assert [clip.path.stat().st_mtime_ns for clip in again] == times
    other = rendered_clips([piece], tmp_path / "other", excerpts=1, seed=1, seconds=2.0, workers=1)
    assert np.array_equal(soundfile.read(other[0].path)[0], first)
