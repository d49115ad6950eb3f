"""Checkpoints: what is saved is what is loaded, and nothing else is believed."""

import json

import pytest
import torch
from moodfader.models.common.constants import N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.inference.checkpoint import load_model, save_model
from moodfader.models.network.model import MidlevelNetwork
from safetensors import safe_open
from safetensors.torch import save_file


@pytest.fixture
def saved(tmp_path):
    network = MidlevelNetwork("small").eval()
    path = tmp_path / "model.safetensors"
    digest = save_model(network, path, record={"epochs": 3})
    return network, path, digest


def altered(path, *, metadata=None, **tensors):
    """The same file with other metadata or tensors, and the old checksum."""
    with safe_open(path, framework="pt") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        described = json.loads(file.metadata()["moodfader-model"])
    described.update(metadata or {})
    save_file({**kept, **tensors}, path, metadata={"moodfader-model": json.dumps(described)})


def test_round_trip(saved):
    network, path, digest = saved
    model = load_model(path)
    assert (model.digest, dict(model.record)) == (digest, {"epochs": 3})
    x = torch.rand(1, 64, N_BANDS)
    with torch.inference_mode():
        torch.testing.assert_close(model.network(x)[1], network(x)[1], atol=1e-5, rtol=1e-5)


def test_saving_twice_gives_the_same_bytes(saved, tmp_path):
    network, path, _ = saved
    save_model(network, tmp_path / "again.safetensors", record={"epochs": 3})
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:1000]), "not a readable model file"),
        (lambda p: p.write_bytes(b"\x80\x04pickled"), "not a readable model file"),
        (lambda p: p.write_text("hello"), "not a readable model file"),
        (lambda p: p.unlink(), "no such model file"),
        (lambda p: save_file({"x": torch.zeros(1)}, p), "not a Moodfader model"),
        (lambda p: altered(p, metadata={"version": 99}), "model format 99"),
        (lambda p: altered(p, metadata={"architecture": "huge"}), "unknown architecture 'huge'"),
        (lambda p: altered(p, **{"emotions.bias": torch.ones(8)}), "checksum"),
        (lambda p: altered(p, metadata={"record": None}), "damaged or altered"),
        (lambda p: save_file({"x": torch.zeros(1)}, p, metadata={"moodfader-model": "[]"}), "not a Moodfader model"),
        (lambda p: save_foreign(p), "do not fit the architecture"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(saved, damage, complaint):
    _, path, _ = saved
    damage(path)
    with pytest.raises(InputError, match=complaint) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def save_foreign(path):
    from moodfader.models.inference.checkpoint import tensors_digest

    tensors = {"something.else": torch.zeros(3)}
    described = {"format": "moodfader-model", "version": 1, "architecture": "small", "record": {}}
    described["sha256"] = tensors_digest(tensors)
    save_file(tensors, path, metadata={"moodfader-model": json.dumps(described)})
