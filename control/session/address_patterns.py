"""OSC 1.0 address patterns: `?` any character, `*` any run, `[a-z]` and `[!a-z]` a set, `{this,that}` either.

None of them but the last goes over a `/`.

Matching walks all ways at once as a set of positions in the address, so that no pattern, however many stars a
stranger puts into it, takes longer than its length times the address's.
"""

from functools import lru_cache
from typing import Final

LONGEST: Final = 128
"""Longer patterns match nothing: no address is nearly as long."""
_SPECIAL: Final = frozenset("?*[]{}")

Step = tuple[str, frozenset[str] | tuple[str, ...]]
"""What a piece of a pattern is ("one", "not", "run", "text") and its characters or alternatives."""


def has_wildcard(pattern: str) -> bool:
    """Whether it is more than a plain address."""
    return not _SPECIAL.isdisjoint(pattern)


def matches(pattern: str, address: str) -> bool:
    """Whether the pattern names the address. A malformed pattern (a bracket left open) matches nothing."""
    steps = _parsed(pattern)
    if steps is None:
        return False
    places = {0}
    for kind, what in steps:
        if kind == "text":
            places = {at + len(text) for at in places for text in what if address.startswith(text, at)}
        elif kind == "run":
            places = {place for at in places for place in _run(at, address)}
        else:
            wanted = kind == "one"
            places = {at + 1 for at in places if _fits(address[at : at + 1], what, wanted)}
        if not places:
            return False
    return len(address) in places


def _run(first: int, address: str) -> range:
    """All places that a star can reach from the first."""
    end = address.find("/", first)
    return range(first, (len(address) if end < 0 else end) + 1)


def _fits(character: str, what: frozenset[str] | tuple[str, ...], wanted: bool) -> bool:
    return bool(character) and character != "/" and (character in what) == wanted


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> tuple[Step, ...] | None:
    if len(pattern) > LONGEST:
        return None
    steps: list[Step] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character in "[{":
            end = pattern.find("]" if character == "[" else "}", at)
            if end < 0:
                return None
            inside = pattern[at + 1 : end]
            steps.append(_set(inside) if character == "[" else ("text", tuple(dict.fromkeys(inside.split(",")))))
            at = end
        elif character in "]}":
            return None
        elif character == "?":
            steps.append(("not", frozenset()))
        elif character == "*":
            if not steps or steps[-1][0] != "run":
                steps.append(("run", ()))
        else:
            steps.append(("text", (character,)))
        at += 1
    return tuple(steps)


def _set(inside: str) -> Step:
    """`a-z` and single characters, after `!` all others; a minus at an end is itself."""
    excluded = inside.startswith("!")
    inside = inside[excluded:]
    characters: set[str] = set()
    at = 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            first, last = ord(inside[at]), min(ord(inside[at + 2]), 127)
            characters.update(map(chr, range(first, last + 1)))
            at += 3
        else:
            characters.add(inside[at])
            at += 1
    return ("not" if excluded else "one"), frozenset(characters)
