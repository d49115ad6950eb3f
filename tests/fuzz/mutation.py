"""Seeded mutation of files: bytes, numbers and structure, as decay and malice would."""

import io
import re
import zipfile
from collections.abc import Callable, Sequence

import numpy as np

Mutator = Callable[[np.random.Generator, bytes, Sequence[bytes]], bytes]
"""Takes a file's content and those of others of its kind, gives a broken one."""

_INTERESTING = (
    *(value.to_bytes(4, "little") for value in (0, 1, 2**31 - 1, 2**31, 2**32 - 1)),
    *(value.to_bytes(4, "big") for value in (1, 2**31 - 1, 2**31)),
    bytes(8), b"\xff" * 8, b"\x7f" + b"\xff" * 7, np.float32("nan").tobytes(), np.float32("inf").tobytes(),
)  # fmt: skip
_TOKENS = (
    "NaN", "nan", "inf", "-Infinity", "1e999", "-1", "0", "9" * 5000, "10000000000000000000000", "0x" + "f" * 4500,
    "[" * 3000, "{" * 3000, '"' * 3, "null", "true", "[]", "{}", '""', "\0", "\ufeff", "\u2028", "é", "-0.0",
    "x" * 100_000, "\n\n", ";;", "sep=;\n", "1,5", "'", "]", "}", ".a" * 2000, "1979-05-27T07:32:00Z",
    "1e-400",
)  # fmt: skip


def bytes_mutated(rng: np.random.Generator, content: bytes, others: Sequence[bytes]) -> bytes:
    """A few changes of bytes: flips, extreme numbers, cuts, repetitions, pieces of another file."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        size = len(data)
        if size < 2:
            break
        # Headers lie at the beginning (or the end): half of the changes are there.
        at = int(rng.integers(size) if rng.random() < 0.5 else min(rng.exponential(60), size - 1))
        match int(rng.integers(8)):
            case 0:
                data[at] ^= 1 << int(rng.integers(8))
            case 1:
                value = _INTERESTING[rng.integers(len(_INTERESTING))]
                data[at : at + len(value)] = value
            case 2:
                del data[at : at + int(rng.integers(1, 64))]
            case 3:
                data[at:at] = rng.bytes(int(rng.integers(1, 64)))
            case 4:
                del data[at:]
            case 5:
                data[at:at] = data[at : at + int(rng.integers(1, 2000))]
            case 6:
                other = others[rng.integers(len(others))]
                start = int(rng.integers(len(other)))
                data[at : at + 200] = other[start : start + 200]
            case 7:
                data[at : at + 8] = rng.bytes(8)
    return bytes(data)


def text_mutated(rng: np.random.Generator, content: bytes, others: Sequence[bytes]) -> bytes:
    """Tokens of a text replaced, doubled and left out; now and then its bytes."""
    if rng.random() < 0.3:
        return bytes_mutated(rng, content, others)
    tokens = re.split(r"(\s+|[,;:=\[\]{}])", content.decode("utf-8"))
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(tokens)))
        match int(rng.integers(4)):
            case 0 | 1:
                tokens[at] = _TOKENS[rng.integers(len(_TOKENS))]
            case 2:
                tokens[at] *= 2
            case 3:
                tokens[at] = ""
    return "".join(tokens).encode("utf-8", "replace")


def archive_mutated(rng: np.random.Generator, content: bytes, others: Sequence[bytes]) -> bytes:
    """A zip archive whose members are mutated and packed again with fitting checksums; now and then its own bytes."""
    if rng.random() < 0.3:
        return bytes_mutated(rng, content, others)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            member = old.read(name)
            if name == chosen:
                change = int(rng.integers(5))
                if change == 0:
                    continue
                if change == 1:
                    other = names[rng.integers(len(names))]
                    member = old.read(other)
                elif change == 2 and b"{" in member:
                    start = member.rindex(b"{")
                    member = (
                        member[:start] + text_mutated(rng, member[start:], others) if _is_text(member) else member
                    )
                else:
                    member = bytes_mutated(rng, member, [member])
            new.writestr(name, member)
    return packed.getvalue()


def _is_text(member: bytes) -> bool:
    try:
        member[member.rindex(b"{") :].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
