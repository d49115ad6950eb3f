"""The analysis file: its only reader and writer.

A compressed NumPy archive (.npz, no pickle): an integer label map, tables of effects, and a description in JSON. The
same analysis gives the same bytes. A file may come from anywhere, so the archive's directory and the header of each
array are checked against each other, and against the track where it is known, before an array is unpacked.

Without torch: the processes that play read their tables here too.
"""

import json
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from ...models.common.atomic_write import atomic_write
from ...models.common.constants import MIDLEVEL, N_BANDS, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.common.filterbank import frame_count
from ...models.common.parsing import parse_json
from ..steering.levels import LEVELS_DB

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model
    from ..audio.track import Track
    from .analysis import Analysis

Array = np.ndarray[Any, Any]

FORMAT: Final = "moodfader-analysis"
VERSION: Final = 2
SUFFIX: Final = ".npz"

LONGEST_S: Final = 6 * 3600.0
"""Longest track in seconds whose analysis is read when nothing else says how long the track is."""
_MAX_DESCRIPTION: Final = 64 * 1024  # bytes
_MAX_HEADER: Final = 1024  # bytes of an array's .npy header
_MAX_MEMBERS: Final = 16
_FRAME_TOLERANCE: Final = 2  # the resampler decides on the last frames
_PER_SEGMENT: Final[dict[str, type]] = {
    "weights": np.float32,
    "standard_errors": np.float32,
    "p_values": np.float64,
    "mask_weights": np.float32,
}
"""Tables [segments, 7]."""
_DECOUPLED: Final = ("selected", "response")
"""Tables that are there where the faders are decoupled."""
_BAD_ARCHIVE: Final = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    IndexError,
    OverflowError,
    RuntimeError,  # an encrypted member; NotImplementedError: an unknown compression
    SyntaxError,  # of an array's header, as the next two
    tokenize.TokenError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def save_analysis(analysis: "Analysis", path: Path) -> None:
    """Write an analysis; a reader sees the old file or the whole new one.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    description = {"format": FORMAT, "version": VERSION, "midlevel": MIDLEVEL, **analysis.metadata()}
    arrays = {
        "segments": analysis.segments,
        "response_per_db": analysis.response_per_db,
        "surrogate_r2": analysis.surrogate_r2,
        "half_agreement": analysis.half_agreement,
        **{name: np.ascontiguousarray(getattr(analysis, name)) for name in _PER_SEGMENT},
        **{name: getattr(analysis, name) for name in _DECOUPLED if getattr(analysis, name) is not None},
        "description": np.frombuffer(json.dumps(description, sort_keys=True).encode(), np.uint8),
    }
    with atomic_write(path) as temp_path, temp_path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_analysis(path: str | Path, *, track: "Track | None" = None, model: "Model | None" = None) -> "Analysis":
    """Read an analysis; with `track` or `model` it must be of that sound and that model.

    Raises
    ------
    InputError
        For a file that is missing, broken, foreign, of another version or does not fit.
    """
    from .analysis import Analysis, AnalysisSettings

    path = Path(path)
    with _Archive(path) as archive:
        description = archive.description
        if track is not None and description["track"] != track.digest:
            raise InputError(
                f"{path}: the analysis of another sound than {track.path} (edited since, or another file?)"
            )
        if model is not None and description["model"] != model.digest:
            raise InputError(f"{path}: made with another model than {model.path.name}; analyse the track again")
        arrays = archive.read(archive.names, duration_s=None if track is None else track.duration_s)
        try:
            # (a file without the mark is of a version whose faders were coupled)
            settings = AnalysisSettings(**{"coupled": True, **description["settings"]})
        except (TypeError, ValueError) as error:
            raise InputError(f"{path}: a damaged analysis file ({error})") from error
        return Analysis(
            **arrays,
            duration_s=archive.duration_s,
            track_digest=description["track"],
            model_digest=description["model"],
            clip_seconds=float(description["clip_seconds"]),
            sounding_s=float(description.get("sounding_s", 0.0)),
            settings=settings,
            path=path,
        )


def load_tables(path: str | Path, names: Iterable[str], *, duration_s: float | None = None) -> dict[str, Array]:
    """Some arrays of an analysis by name, checked as `load_analysis` does; without torch.

    Parameters
    ----------
    path
        The analysis file.
    names
        `segments` (int32 [frames, bands]), `weights`, `standard_errors` (float32 [segments, 7]), `mask_weights`
        (float32 [segments, 7], or [segments, 14] where each fader has a mask above zero and one below), `p_values`
        (float64 [segments, 7]), `response_per_db` (float32 [segments]), `surrogate_r2`, `half_agreement` (float32
        [7]); `selected` (float32 [segments, 7]) and `response` (float32 [7, 6, 7]), which are left out where the
        faders are coupled.
    duration_s
        Length of the track in seconds, if it is known: the label map must be as long.

    Raises
    ------
    InputError
        For a file that is missing, broken, foreign, of another version or does not fit.
    """
    with _Archive(Path(path)) as archive:
        return archive.read(names, duration_s=duration_s)


def is_analysis(path: Path) -> bool:
    """Whether a file calls itself an analysis, be it stale, of another sound or damaged inside."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(_checked_directory(file)) as archive:
            return bool(_read_description(archive).get("format") == FORMAT)
    except _BAD_ARCHIVE:
        return False


class _Archive:
    """An open analysis file whose directory, description and array headers fit; no array is unpacked yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise InputError(f"{path}: no such analysis file")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
        try:
            self._zip = zipfile.ZipFile(_checked_directory(self._file))
            self.description = _read_description(self._zip)
        except _BAD_ARCHIVE as error:
            self._file.close()
            raise InputError(f"{path}: not a readable analysis file (damaged, or something else?)") from error
        try:
            self._check_description()
            self._shapes = self._read_headers()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "_Archive":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return list(self._shapes)

    @property
    def duration_s(self) -> float:
        """Length of the track that was analysed."""
        return float(self.description["duration_s"])

    def read(self, names: Iterable[str], *, duration_s: float | None) -> dict[str, Array]:
        """Unpack arrays and check their values. Raises InputError."""
        frames = self._shapes["segments"][0]
        expected_s = self.duration_s if duration_s is None else duration_s
        if duration_s is None and expected_s > LONGEST_S:
            raise InputError(f"{self.path}: a damaged analysis file (of a track of {expected_s:g} s)")
        expected = frame_count(round(expected_s * SAMPLE_RATE))
        if abs(frames - expected) > _FRAME_TOLERANCE:
            raise InputError(f"{self.path}: a damaged analysis file ({frames} frames, its track has {expected})")
        try:
            present = [name for name in names if name in self._shapes or name not in _DECOUPLED]
            arrays = {name: _unpack(self._zip, name) for name in present}
        except _BAD_ARCHIVE as error:
            raise InputError(f"{self.path}: a damaged analysis file ({_short(error)})") from error
        segments = self._shapes["weights"][0]
        for name, array in arrays.items():
            if not _plausible(name, array, segments):
                raise InputError(f"{self.path}: a damaged analysis file ({name} has values that cannot be)")
        return arrays

    def _check_description(self) -> None:
        """Format, version and the types and ranges of all fields. Raises InputError."""
        path, fields = self.path, self.description
        if fields.get("format") != FORMAT:
            raise InputError(f"{path}: not a Moodfader analysis")
        if fields.get("version") != VERSION:
            raise InputError(f"{path}: analysis format {_short(fields.get('version'))}, this program reads {VERSION}")
        duration_s, clip_seconds = fields.get("duration_s"), fields.get("clip_seconds")
        if not (
            isinstance(fields.get("settings"), dict)
            and all(isinstance(fields.get(name), str) for name in ("track", "model"))
            and _is_number(duration_s, 0.9, 1e7)
            and _is_number(clip_seconds, 0.01, 60.0)
            and _is_number(fields.get("sounding_s", duration_s), 0.01, 1e7)
            and isinstance(fields["settings"].get("passes", 0), int)
            and isinstance(fields["settings"].get("seed", 0), int)
        ):
            raise InputError(f"{path}: a damaged analysis file (its description does not make sense)")

    def _read_headers(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all arrays, once they fit together. Raises InputError."""
        try:
            headers = {name: _array_header(self._zip, name) for name in _members(self._zip) if name != "description"}
            segments, frames = headers["weights"][0][0], headers["segments"][0][0]
            expected: dict[str, tuple[tuple[int, ...], type]] = {
                "segments": ((frames, N_BANDS), np.int32),
                "response_per_db": ((segments,), np.float32),
                "surrogate_r2": ((len(MIDLEVEL),), np.float32),
                "half_agreement": ((len(MIDLEVEL),), np.float32),
                **{name: ((segments, len(MIDLEVEL)), kind) for name, kind in _PER_SEGMENT.items()},
            }
            if any(name in headers for name in _DECOUPLED):
                # (those of 0.8.0 have one mask a fader, later ones one for each side of zero)
                if headers["mask_weights"][0] == (segments, 2 * len(MIDLEVEL)):
                    expected["mask_weights"] = (segments, 2 * len(MIDLEVEL)), np.float32
                expected["selected"] = (segments, len(MIDLEVEL)), np.float32
                expected["response"] = (len(MIDLEVEL), len(LEVELS_DB), len(MIDLEVEL)), np.float32
        except _BAD_ARCHIVE as error:
            raise InputError(f"{self.path}: a damaged analysis file ({_short(error)})") from error
        fit = set(headers) == set(expected) and all(
            headers[name] == (shape, np.dtype(kind)) for name, (shape, kind) in expected.items()
        )
        if not fit or frames < 1 or not 1 <= segments <= frames * N_BANDS:
            raise InputError(f"{self.path}: a damaged analysis file (its tables do not fit together)")
        return {name: shape for name, (shape, _) in headers.items()}


def _checked_directory(file: IO[bytes]) -> IO[bytes]:
    """The file, if its zip directory is small: `zipfile` reads all of it at once. Raises ValueError."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 22 - 20))
    tail = file.read()
    end = len(tail) - 22  # the archive's end record; ours has no comment behind it
    if end < 0 or tail[end : end + 4] != b"PK\x05\x06" or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise ValueError("no plain zip archive")
    entries, directory = struct.unpack("<HI", tail[end + 10 : end + 16])
    if entries > _MAX_MEMBERS or directory > 64 * 1024:
        raise ValueError("too many members")
    file.seek(0)
    return file


def _members(archive: zipfile.ZipFile) -> list[str]:
    """Names of the arrays. Raises ValueError for members that numpy would not have written."""
    names = []
    for info in archive.infolist():
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise ValueError(f"{info.filename!r} is packed in another way")
        names.append(info.filename.removesuffix(".npy"))
    if len(set(names)) != len(names):
        raise ValueError("a member is there twice")
    return names


def _read_description(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    """The JSON object. Raises one of `_BAD_ARCHIVE`."""
    _members(archive)
    (length,), dtype = _array_header(archive, "description")
    if length > _MAX_DESCRIPTION or dtype != np.uint8:
        raise ValueError("the description is too long")
    value = parse_json(_unpack(archive, "description").tobytes())
    if not isinstance(value, dict):
        raise InputError(f"{archive.filename}: not a Moodfader analysis")
    return value


def _array_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array, whose size must be the member's. Raises ValueError, without unpacking the array."""
    info = archive.getinfo(name + ".npy")
    with archive.open(info) as member:
        major, _ = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = read(member, max_header_size=_MAX_HEADER)
        header = member.tell()
    if dtype.hasobject or dtype.names or fortran_order:
        raise ValueError(f"{name} has the type {dtype}")
    if info.file_size != header + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} is not as long as its header says")
    return shape, dtype


def _unpack(archive: zipfile.ZipFile, name: str) -> Array:
    """An array whose header was checked."""
    shape, dtype = _array_header(archive, name)
    array = np.empty(shape, dtype)
    info = archive.getinfo(name + ".npy")
    view = array.reshape(-1).view(np.uint8)
    with archive.open(info) as member:
        member.read(info.file_size - array.nbytes)
        done = 0
        while chunk := member.read(1 << 20):
            view[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
            done += len(chunk)
    if done != array.nbytes:
        raise ValueError(f"{name} ends early")
    return array


def _plausible(name: str, array: Array, segments: int) -> bool:
    """Whether an array's values can be what its name says."""
    if name == "segments":
        return bool(array.min() >= 0 and array.max() < segments)
    if not np.isfinite(array).all():
        return False
    if name in ("mask_weights", "selected"):
        return bool((np.abs(array) <= 1).all())
    if name == "standard_errors":
        return bool((array >= 0).all())
    return name != "p_values" or bool(((array >= 0) & (array <= 1)).all())


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _short(value: object) -> str:
    """Something from a file, as part of one line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
