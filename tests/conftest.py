"""Where the research data lies, if it is there, and a small network with weights by chance."""

import os
from pathlib import Path

import pytest
import torch
from moodfader.models.checkpoint import Model, load_model, save_model
from moodfader.models.train import TrainingSettings, new_network

torch.set_num_threads(1)  # on a busy machine two threads are slower than one, and results do not depend on how many

DATA = Path(os.environ.get("MOODFADER_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory):
    """No test reads or writes the user's own cache and configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOODFADER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MOODFADER_CONFIG", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def soundtracks() -> Path:
    folder = DATA / "soundtracks"
    if not folder.is_dir():
        pytest.skip("the research clips are not here (MOODFADER_DATA names their folder)")
    return folder


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Model:
    """The small network as it is before training: a real network, only an ignorant one."""
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    save_model(new_network(TrainingSettings(seed=5)), path, record={})
    return load_model(path)
