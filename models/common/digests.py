"""What a run of training depends on, as one short text: so that nothing goes on with, or is judged by, another's."""

import hashlib
import json
from typing import Any


def short_digest(*parts: Any, length: int = 12) -> str:  # noqa: ANN401
    """First digits of the SHA-256 over anything that JSON can say."""
    text = json.dumps(parts, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
