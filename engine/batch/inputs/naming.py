"""Names of tracks within a batch, and of the files that are made of them: no two are alike.

A name is the path below the folder that was given. Tracks of two folders that would have the same name get as many of
the folders above as tell them apart; files that would differ in nothing but the ending keep the ending in the name.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ..common.tasks import Source, Task, settings_digest


def make_tasks(
    command: str, tracks: Sequence[tuple[Source, Mapping[str, Any]]], *, suffixes: Sequence[str | None], folder: str
) -> list[Task]:
    """Name tracks and the files to make of them.

    Parameters
    ----------
    command
        The command.
    tracks
        Sources with their settings; the same source with the same settings counts once.
    suffixes
        Ending of each track's file, with the dot; None where no file is made.
    folder
        Folder of the files within the destination.

    Returns
    -------
    list of Task
        In the order of the tracks.
    """
    digests: dict[int, str] = {}
    seen: set[tuple[str, str]] = set()
    chosen = []
    for (source, settings), suffix in zip(tracks, suffixes, strict=True):
        digest = digests.setdefault(id(settings), settings_digest(command, settings))
        if (source.url, digest) not in seen:
            seen.add((source.url, digest))
            chosen.append((source, settings, suffix, digest))
    names = _told_apart([source for source, *_ in chosen])
    outputs = _outputs(names, [suffix for _, _, suffix, _ in chosen], folder)
    return [
        Task(source, name, output, settings, digest)
        for (source, settings, _, digest), name, output in zip(chosen, names, outputs, strict=True)
    ]


def _told_apart(sources: Sequence[Source]) -> list[str]:
    names = [source.path for source in sources]
    depth = 0
    while alike := _alike(names):
        depth += 1
        changed = False
        for group in alike:
            if len({sources[i].url for i in group}) == 1:
                continue
            for i in group:
                longer = _with_parents(sources[i], depth)
                changed |= longer != names[i]
                names[i] = longer
        if not changed:
            break
    counts: Counter[str] = Counter()
    for i, name in enumerate(names):  # (what is left is one file with other settings, or one that two URLs name)
        counts[name] += 1
        if counts[name] > 1:
            path = PurePosixPath(name)
            names[i] = str(path.with_name(f"{path.stem}-{counts[name]}{path.suffix}"))
    return names


def _alike(names: Sequence[str]) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        groups[name].append(i)
    return [group for group in groups.values() if len(group) > 1]


def _with_parents(source: Source, depth: int) -> str:
    """The name with that many folders of the root before it."""
    parts = [part for part in source.root.replace("::", "/").split("/") if part not in ("", ".", "..")]
    return "/".join([*parts[-depth:], source.path])


def _outputs(names: Sequence[str], suffixes: Sequence[str | None], folder: str) -> list[str | None]:
    plain = [
        None if suffix is None else f"{folder}/{PurePosixPath(name).with_suffix(suffix)}"
        for name, suffix in zip(names, suffixes, strict=True)
    ]
    counts = Counter(plain)
    return [
        f"{folder}/{name}{suffix}" if output is not None and counts[output] > 1 else output
        for name, suffix, output in zip(names, suffixes, plain, strict=True)
    ]
