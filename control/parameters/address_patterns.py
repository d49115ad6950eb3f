"""OSC 1.0 address patterns: `?` any character, `*` any run, `[a-z]` and `[!a-z]` a set, `{this,that}` alternatives.

Only alternatives can match a `/`. Matching keeps the set of all positions that are reachable in the address (a
nondeterministic automaton), so that its time is bounded by the length of the pattern times that of the address,
however many stars there are.
"""

from functools import lru_cache
from typing import Final

MAX_LENGTH: Final = 128
"""Longer patterns match nothing: no address is nearly as long."""
_SPECIAL: Final = frozenset("?*[]{}")

Token = tuple[str, frozenset[str] | tuple[str, ...]]
"""A piece of a pattern: its kind ("one", "not", "run" or "text") and its characters or alternatives."""


def has_wildcard(pattern: str) -> bool:
    """Whether it is a pattern, not a plain address."""
    return not _SPECIAL.isdisjoint(pattern)


def matches(pattern: str, address: str) -> bool:
    """Whether the pattern matches the address. A malformed pattern (a bracket left open) matches nothing."""
    tokens = _tokens(pattern)
    if tokens is None:
        return False
    positions = {0}
    for kind, content in tokens:
        if kind == "text":
            positions = {at + len(text) for at in positions for text in content if address.startswith(text, at)}
        elif kind == "run":
            positions = {end for at in positions for end in _run(at, address)}
        else:
            included = kind == "one"
            positions = {at + 1 for at in positions if _in_set(address[at : at + 1], content, included)}
        if not positions:
            return False
    return len(address) in positions


def _run(start: int, address: str) -> range:
    """All positions that a star can reach from `start`."""
    end = address.find("/", start)
    return range(start, (len(address) if end < 0 else end) + 1)


def _in_set(character: str, characters: frozenset[str] | tuple[str, ...], included: bool) -> bool:
    return bool(character) and character != "/" and (character in characters) == included


@lru_cache(maxsize=256)
def _tokens(pattern: str) -> tuple[Token, ...] | None:
    if len(pattern) > MAX_LENGTH:
        return None
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character in "[{":
            end = pattern.find("]" if character == "[" else "}", at)
            if end < 0:
                return None
            inside = pattern[at + 1 : end]
            tokens.append(_set(inside) if character == "[" else ("text", tuple(dict.fromkeys(inside.split(",")))))
            at = end
        elif character in "]}":
            return None
        elif character == "?":
            tokens.append(("not", frozenset()))
        elif character == "*":
            if not tokens or tokens[-1][0] != "run":
                tokens.append(("run", ()))
        else:
            tokens.append(("text", (character,)))
        at += 1
    return tuple(tokens)


def _set(inside: str) -> Token:
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
