"""Trained networks on disk: safetensors, with what is needed to rebuild them and the record of their training.

No pickle is read or written. The metadata holds the format's version, the architecture, the training record (JSON)
and a SHA-256 over the tensors, which is verified at loading and names the model in analysis files. torch is imported
when its network is asked for; predictions on a processor do without (`predictor`).
"""

import functools
import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..common.atomic_write import atomic_write
from ..common.errors import InputError
from ..common.parsing import parse_json
from ..network.architectures import ARCHITECTURES
from .device import use_deterministic_fp32
from .predictor import Predictor, make_predictor
from .tensor_layout import tensor_layout

if TYPE_CHECKING:
    import torch

    from ..network.model import MidlevelNetwork

FORMAT = "moodfader-model"
VERSION = 1
_LARGEST_FILE = 256 << 20  # bytes
_LARGEST_HEADER = 16 << 20  # bytes; most of it is the record of the training
_LARGEST_WEIGHT = 1e6
DEFAULT_NAME = "default.safetensors"
PRETRAINED_NAME = "known.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds: weights as they were trained, and the record of it."""

    architecture: str
    tensors: Mapping[str, npt.NDArray[Any]]
    digest: str
    record: Mapping[str, Any]

    def state_dict(self) -> "dict[str, torch.Tensor]":
        """The tensors as torch's, in memory of their own."""
        import torch

        return {name: torch.from_numpy(array.copy()) for name, array in self.tensors.items()}


@dataclass(frozen=True)
class Model:
    """A trained network ready to predict, and where it comes from."""

    checkpoint: Checkpoint
    path: Path
    device: str = "cpu"
    """Where it computes, as torch calls it."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the weights."""
        return self.checkpoint.digest

    @property
    def record(self) -> Mapping[str, Any]:
        """The record of the training."""
        return self.checkpoint.record

    @property
    def emotion_weights(self) -> npt.NDArray[np.float32]:
        """The linear layer [8, 7]: emotion += weight * mid-level."""
        return np.asarray(self.checkpoint.tensors["emotions.weight"])

    @functools.cached_property
    def network(self) -> "MidlevelNetwork":
        """The network in torch: evaluation mode, normalisation folded, without gradients of weights."""
        import torch

        from ..network.model import MidlevelNetwork
        from .fold import optimise_for_inference

        with torch.inference_mode(False):  # (wherever it is first asked for, its gradients may be wanted later)
            network = MidlevelNetwork(self.checkpoint.architecture)
            network.load_state_dict(self.checkpoint.state_dict())
            optimise_for_inference(network)
            network.requires_grad_(False)
            return network.to(self.device)

    @functools.cached_property
    def predictor(self) -> Predictor:
        """Its forward pass on arrays: NumPy's on a processor, torch's on a card and for what NumPy's is too slow."""
        return make_predictor(
            self.checkpoint.architecture, self.checkpoint.tensors, device=self.device, network=lambda: self.network
        )


def tensors_digest(tensors: "Mapping[str, npt.NDArray[Any] | torch.Tensor]") -> str:
    """SHA-256 (hex) over names, shapes, types and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = _as_array(tensors[name])
        digest.update(f"{name} {array.shape} torch.{array.dtype}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _as_array(tensor: "npt.NDArray[Any] | torch.Tensor") -> npt.NDArray[Any]:
    return tensor if isinstance(tensor, np.ndarray) else np.asarray(tensor.detach().cpu().numpy())


def save_model(network: "MidlevelNetwork", path: Path, *, record: Mapping[str, Any]) -> str:
    """Write the network (not folded) with its record; returns the digest. Raises InputError as `written_beside`."""
    tensors = {name: np.asarray(_as_array(tensor), order="C") for name, tensor in network.state_dict().items()}
    digest = tensors_digest(tensors)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": network.architecture,
        "sha256": digest,
        "record": dict(record),
    }
    # one key, because safetensors writes several in any order, and the same model shall give the same bytes
    with atomic_write(path) as temp_path:
        save_file(tensors, temp_path, metadata={FORMAT: json.dumps(metadata, sort_keys=True)})
    return digest


def default_checkpoint() -> Path:
    """The checkpoint that ships with the package."""
    return _shipped(DEFAULT_NAME)


def pretrained_checkpoint() -> Path:
    """The checkpoint trained on synthetic music alone: a start for models of one's own."""
    return _shipped(PRETRAINED_NAME)


def _shipped(name: str) -> Path:
    return Path(str(importlib.resources.files("moodfader.models.weights") / name))


def read_checkpoint(path: Path) -> Checkpoint:
    """What a checkpoint holds.

    Raises InputError for a file that is missing, broken, foreign, of another version or altered.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such model file")
        _check_size(path)
        with safe_open(path, framework="numpy") as file:
            metadata = parse_json((file.metadata() or {}).get(FORMAT, "{}"))
            architecture = _architecture(path, metadata)
            _check_shapes(path, file, architecture)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: not a readable model file (damaged, or another format? {str(error)[:120]})"
        ) from error
    digest = tensors_digest(tensors)
    if digest != metadata.get("sha256") or not isinstance(metadata.get("record"), dict):
        raise InputError(f"{path}: the checksum does not fit its weights (damaged or altered)")
    for name, array in tensors.items():
        if not (np.abs(array) <= _LARGEST_WEIGHT).all():
            raise InputError(f"{path}: {name} has weights that are no numbers, or beyond all measure")
    return Checkpoint(architecture, tensors, digest, metadata["record"])


def _check_size(path: Path) -> None:
    """See that neither the file nor its header is larger than a model's. Raises InputError."""
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > _LARGEST_HEADER or path.stat().st_size > _LARGEST_FILE:
        raise InputError(f"{path}: not a readable model file (larger than a model of ours can be)")


def _architecture(path: Path, metadata: object) -> str:
    """The architecture that the metadata name, once their format and version fit. Raises InputError."""
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise InputError(f"{path}: a safetensors file, but not a Moodfader model")
    if metadata.get("version") != VERSION:
        version = str(metadata.get("version"))[:40]
        raise InputError(f"{path}: model format {version}, this program reads {VERSION} (another release's file?)")
    architecture = metadata.get("architecture")
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        raise InputError(f"{path}: unknown architecture {str(architecture)[:40]!r} (from a later release?)")
    return architecture


def _check_shapes(path: Path, file: Any, architecture: str) -> None:  # noqa: ANN401
    """See that names, shapes and types are the architecture's, before a tensor is read. Raises InputError."""
    expected = tensor_layout(ARCHITECTURES[architecture])
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    if {name: (part.get_shape(), part.get_dtype()) for name, part in slices.items()} != expected:
        raise InputError(f"{path}: its weights do not fit the architecture {architecture!r}")


def load_model(path: Path | None = None, *, device: str = "cpu") -> Model:
    """Read a checkpoint (the default one without a path) for prediction on `device`.

    Raises InputError as read_checkpoint.
    """
    use_deterministic_fp32(device)
    path = default_checkpoint() if path is None else path
    return Model(read_checkpoint(path), path, device)
