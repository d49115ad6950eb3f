"""What a run of training depends on, as one short text: so that nothing goes on with, or is judged by, another's."""

import hashlib
import json
from typing import Any

import numpy as np

from ..datasets.clip_dataset import Material


def material_digest(material: Material) -> str:
    """SHA-256 in hex over the spectrograms and all ratings."""
    digest = hashlib.sha256()
    for head, values in sorted(material.targets.items()):
        digest.update(f"{head} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    for spectrogram in material.spectrograms:
        digest.update(f"{spectrogram.shape}".encode())
        digest.update(np.ascontiguousarray(spectrogram).tobytes())
    return digest.hexdigest()


def fingerprint(*parts: Any, length: int = 12) -> str:  # noqa: ANN401
    """First digits of the SHA-256 over anything that JSON can say."""
    text = json.dumps(parts, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
