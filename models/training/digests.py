"""Short digests of settings and data: they tell the runs of training and evaluation apart."""

import hashlib
import json
from typing import Any


def short_digest(*parts: Any, length: int = 12) -> str:  # noqa: ANN401
    """Return the beginning of the SHA-256 of some values.

    Parameters
    ----------
    *parts
        Values that JSON can represent; other iterables are written as lists.
    length
        Number of hexadecimal digits, 1..64.

    Returns
    -------
    str
    """
    text = json.dumps(parts, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
