"""The state of a training run on disk: what an interrupted run needs to end with the same weights as a whole one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ..common.atomic_write import atomic_write
from ..common.errors import InputError
from ..network.model import MidlevelNetwork
from .distillation import EmbeddingHead
from .losses import LabelCalibration


@dataclass(frozen=True)
class TrainingState:
    """What changes while a network learns; fingerprint says of which settings and material."""

    network: MidlevelNetwork
    heads: LabelCalibration
    mean: MidlevelNetwork
    teacher: EmbeddingHead
    optimiser: torch.optim.Optimizer
    fingerprint: str

    def _parts(self) -> dict[str, nn.Module]:
        return {"network": self.network, "heads": self.heads, "mean": self.mean, "teacher": self.teacher}

    def keep(self, path: Path, epochs: int) -> None:
        """Write the state after so many epochs to a file."""
        tensors = {
            f"{part}.{name}": tensor.detach().clone().contiguous()
            for part, module in self._parts().items()
            for name, tensor in module.state_dict().items()
        }
        for index, moments in self.optimiser.state_dict()["state"].items():
            for name, tensor in moments.items():
                tensors[f"optimiser.{index}.{name}"] = torch.as_tensor(tensor).clone().contiguous()
        with atomic_write(path) as beside:
            save_file(tensors, beside, metadata={"fingerprint": self.fingerprint, "epochs": str(epochs)})

    def restore(self, path: Path) -> int:
        """Take over the state in a file; the number of its epochs. Raises InputError."""
        try:
            with safe_open(path, framework="pt", device="cpu") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(
                f"{path}: the interrupted run cannot be read (damaged?); delete it to start anew"
            ) from error
        if metadata.get("fingerprint") != self.fingerprint:
            raise InputError(f"{path}: belongs to a run with other settings or material; delete it to start anew")
        try:
            return self._take_over(metadata, tensors)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: the interrupted run is damaged; delete it to start anew") from error

    def _take_over(self, metadata: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> int:
        for part, module in self._parts().items():
            prefix = part + "."
            module.load_state_dict({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
        states: dict[int, dict[str, Any]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optimiser."):
                _, index, moment = name.split(".")
                states.setdefault(int(index), {})[moment] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": states})
        return int(metadata["epochs"])
