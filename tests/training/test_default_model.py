"""`make model`: on a small made-up data folder it is resumed, and gives the same file each time."""

import dataclasses

import mido
import numpy as np
import pytest
import soundfile
from moodfader.control.console.output import Output
from moodfader.control.experiments import default_model
from moodfader.models.common.constants import EMOTIONS
from moodfader.models.common.errors import InputError
from moodfader.models.datasets.emotify import GEMS
from moodfader.models.datasets.perceptual import PERCEPTUAL_SCALES
from moodfader.models.inference.checkpoint import read_checkpoint
from moodfader.models.synthesis.labelled_music import labelled_set
from moodfader.models.synthesis.midi_render import find_soundfont, require_fluidsynth

CLIPS = 12


def tone(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(6 * 22050) / 22050
    rng = np.random.default_rng(number)
    pulse = 0.3 + 0.7 * (np.sin(2 * np.pi * (1 + number % 4) * time) > 0)
    sound = pulse * np.sin(2 * np.pi * 110 * (1 + number / 7) * time) + 0.05 * rng.standard_normal(len(time))
    soundfile.write(path, 0.5 * sound, 22050)


def table(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture
def data(tmp_path):
    """A data folder in the layout of the real one."""
    folder, rng = tmp_path / "data", np.random.default_rng(0)
    for n in range(CLIPS):
        tone(folder / "soundtracks" / "audio" / f"{n + 1:03d}.wav", n)
        tone(folder / "emotify" / "audio" / f"pop_{n:03d}.wav", n + 50)
    ratings = [[n + 1, *rng.uniform(1, 9, 8).round(2), "X", f"album {n}"] for n in range(CLIPS)]
    table(folder / "soundtracks" / "ratings.csv", ["number", *EMOTIONS, "TARGET", "album"], ratings)
    perceptual = [[n + 1, 0.5, *rng.uniform(1, 9, 7).round(2)] for n in range(CLIPS)]
    table(folder / "soundtracks" / "perceptual.csv", ["number", "offset_s", *PERCEPTUAL_SCALES], perceptual)
    shares = [
        [f"audio/pop_{n:03d}.wav", f"artist {n}", "pop", 20, *rng.uniform(0, 1, 9).round(2)] for n in range(CLIPS)
    ]
    table(folder / "emotify" / "gems.csv", ["file", "group", "genre", "raters", *(f"gems_{g}" for g in GEMS)], shares)
    track = mido.MidiTrack()
    for k in range(60):
        track.append(mido.Message("note_on", note=48 + 7 * k % 30, velocity=80, time=0))
        track.append(mido.Message("note_off", note=48 + 7 * k % 30, time=240))
    midi = mido.MidiFile(tracks=[track])
    (folder / "vgmidi").mkdir()
    midi.save(folder / "vgmidi" / "a.mid")
    table(folder / "vgmidi" / "pieces.csv", ["file", "group", "valence", "energy"], [["a.mid", "game", 0.4, 0.6]])
    (folder / "musicnn_teacher").mkdir()
    np.savez(
        folder / "musicnn_teacher" / "embeddings.npz",
        film_mean=rng.standard_normal((CLIPS, 5)),
        film_numbers=np.arange(CLIPS) + 1,
        emotify_mean=rng.standard_normal((CLIPS, 5)),
        emotify_files=np.array([f"audio/pop_{n:03d}.wav" for n in range(CLIPS)]),
    )
    return folder


class Interrupted(Output):
    """Stops the training after its first epoch."""

    def log(self, message):
        if message.startswith("epoch 1"):
            raise KeyboardInterrupt


@pytest.fixture
def short(monkeypatch):
    """Four pieces of two seconds, two epochs of one step."""
    try:
        require_fluidsynth()
        find_soundfont(default_model.SOUND_FONTS[0])
    except InputError as error:
        pytest.skip(str(error))

    def render(music, _):
        for seed, kind in enumerate(("composed", "scores")):
            labelled_set(4, seed=seed, folder=music / kind, seconds=2.0, workers=1)

    settings = dataclasses.replace(default_model.SETTINGS, epochs=2, steps_per_epoch=1, copies=2)
    monkeypatch.setattr(default_model, "SETTINGS", settings)
    monkeypatch.setattr(default_model, "render_music", render)


@pytest.mark.slow
def test_it_is_resumed_and_repeatable(data, short, tmp_path):
    quiet = Output(quiet=True)
    whole = default_model.make_default_model(data, tmp_path / "one", quiet)
    with pytest.raises(KeyboardInterrupt):
        default_model.make_default_model(data, tmp_path / "two", Interrupted(quiet=True))
    assert (tmp_path / "two" / "default.state").is_file()
    assert not (tmp_path / "two" / "default.safetensors").exists()
    resumed = default_model.make_default_model(data, tmp_path / "two", quiet)
    assert resumed.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "two" / "default.state").exists()
    record = read_checkpoint(whole).record
    assert set(record["sources"]) == {"soundtracks", "emotify", "perceptual", "vgmidi", "composed", "scores"}
    assert {name: source["share"] for name, source in record["sources"].items()} == default_model.PER_BATCH
    assert min(record["widened"]) >= 1


def test_stored_spectrograms_are_those_that_were_computed(data, tmp_path):
    from moodfader.models.datasets.emotify import read_emotify

    clips = read_emotify(data / "emotify")
    first, again = (
        default_model.stored_dataset("emotify", clips, tmp_path / "spectrograms", Output(quiet=True))
        for _ in range(2)
    )
    assert len(list((tmp_path / "spectrograms").iterdir())) == 1
    assert all(np.array_equal(a, b) for a, b in zip(first.spectrograms, again.spectrograms, strict=True))
    assert (first.weights is None) == (again.weights is None)
    other = default_model.stored_dataset("emotify", clips[:5], tmp_path / "spectrograms", Output(quiet=True))
    assert len(other) == 5


def test_missing_data_are_named(short, tmp_path):
    with pytest.raises(InputError, match="soundtracks"):
        default_model.make_default_model(tmp_path, tmp_path / "work", Output(quiet=True))
