"""An analysis file as an archive from anywhere: checked before anything in it is unpacked.

The archive's directory and the header of each array are checked against each other, and against the track where it
is known. Without torch.
"""

import math
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from ...models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.common.filterbank import frame_count
from ...models.common.parsing import BAD_ARCHIVE, parse_json
from ..dsp.segment_mask import MASK_LIMIT, MAX_SUBSEGMENTS
from ..steering.faders.levels import LEVELS_DB

Array = np.ndarray[Any, Any]

FORMAT: Final = "moodfader-analysis"
VERSION: Final = 2

LONGEST_S: Final = 6 * 3600.0
"""Longest track in seconds whose analysis is read when nothing else says how long the track is."""
_MAX_DESCRIPTION: Final = 64 * 1024  # bytes
_MAX_HEADER: Final = 1024  # bytes of an array's .npy header
_MAX_MEMBERS: Final = 16
_FRAME_TOLERANCE: Final = 2  # the resampler decides on the last frames
PER_SEGMENT: Final[dict[str, type]] = {
    "weights": np.float32,
    "standard_errors": np.float32,
    "p_values": np.float64,
    "mask_weights": np.float32,
}
"""Tables [segments, 7]."""
DECOUPLED: Final = ("selected", "response", "slopes", "confirmed", "subsegments")
"""Tables that are there where the faders are decoupled; slopes not in files of 0.10 and before, confirmed not in
those of 0.12 and before, subsegments not in those of 0.16 and before.
"""


class AnalysisArchive:
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
            self._zip = zipfile.ZipFile(checked_directory(self._file))
            self.description = read_description(self._zip)
        except BAD_ARCHIVE as error:
            self._file.close()
            raise InputError(f"{path}: not a readable analysis file (damaged, or something else?)") from error
        try:
            self._check_description()
            self._shapes = self._read_headers()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "AnalysisArchive":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        """Names of the arrays."""
        return list(self._shapes)

    @property
    def segments(self) -> int:
        """How many segments there are."""
        return self._shapes["weights"][0]

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
            present = [name for name in names if name in self._shapes or name not in DECOUPLED]
            arrays = {name: _unpack(self._zip, name) for name in present}
        except BAD_ARCHIVE as error:
            raise InputError(f"{self.path}: a damaged analysis file ({_short(error)})") from error
        segments = self._shapes["weights"][0]
        subsegments = self._shapes["mask_weights"][0] // segments
        for name, array in arrays.items():
            if not _plausible(name, array, {"segments": segments, "subsegments": subsegments}):
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
            and _is_number(fields.get("loudness_lufs", 0), -200.0, 200.0)
            and ("prediction" not in fields or _is_prediction(fields["prediction"]))
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
                **{name: ((segments, len(MIDLEVEL)), kind) for name, kind in PER_SEGMENT.items()},
            }
            if any(name in headers for name in DECOUPLED):
                rows = segments
                if "subsegments" in headers:
                    expected["subsegments"] = (frames, N_BANDS), np.uint8
                    each = headers["mask_weights"][0][0] // max(segments, 1)
                    rows = segments * min(max(each, 1), MAX_SUBSEGMENTS)
                # (those of 0.8.0 have one mask a fader, later ones one for each side of zero)
                if headers["mask_weights"][0] == (rows, 2 * len(MIDLEVEL)):
                    expected["mask_weights"] = (rows, 2 * len(MIDLEVEL)), np.float32
                expected["selected"] = (segments, len(MIDLEVEL)), np.float32
                expected["response"] = (len(MIDLEVEL), len(LEVELS_DB), len(MIDLEVEL)), np.float32
                if "slopes" in headers:
                    columns = expected["mask_weights"][0][1] + len(MIDLEVEL)
                    expected["slopes"] = (len(MIDLEVEL), columns), np.float32
                if "confirmed" in headers:
                    expected["confirmed"] = (len(MIDLEVEL), 2), np.float32
        except BAD_ARCHIVE as error:
            raise InputError(f"{self.path}: a damaged analysis file ({_short(error)})") from error
        fit = set(headers) == set(expected) and all(
            headers[name] == (shape, np.dtype(kind)) for name, (shape, kind) in expected.items()
        )
        if not fit or frames < 1 or not 1 <= segments <= frames * N_BANDS:
            raise InputError(f"{self.path}: a damaged analysis file (its tables do not fit together)")
        return {name: shape for name, (shape, _) in headers.items()}


def checked_directory(file: IO[bytes]) -> IO[bytes]:
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


def read_description(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    """The JSON object. Raises one of `BAD_ARCHIVE`."""
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


def _plausible(name: str, array: Array, counts: Mapping[str, int]) -> bool:
    """Whether an array's values can be what its name says; counts: of the labels that there are, by name."""
    if name in counts:
        return bool(array.min() >= 0 and array.max() < counts[name])
    if not np.isfinite(array).all():
        return False
    if name in ("mask_weights", "selected"):
        return bool((np.abs(array) <= (MASK_LIMIT if name == "mask_weights" else 1)).all())
    if name == "standard_errors":
        return bool((array >= 0).all())
    return name not in ("p_values", "confirmed") or bool(((array >= 0) & (array <= 1)).all())


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_prediction(value: object) -> bool:
    """Whether it is what `Prediction.to_dict` gives."""
    if not isinstance(value, dict) or set(value) != {"duration_s", "midlevel", "emotions"}:
        return False
    groups = (value["midlevel"], MIDLEVEL), (value["emotions"], EMOTIONS)
    return _is_number(value["duration_s"], 0.0, 1e7) and all(
        isinstance(group, dict) and set(group) == set(names) and all(_is_number(group[name], 0, 1) for name in names)
        for group, names in groups
    )


def _short(value: object) -> str:
    """Something from a file, as part of one line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
