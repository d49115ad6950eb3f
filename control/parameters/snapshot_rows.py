"""Rows of the parameter table: snapshots in nine slots, morphs between them, cue points, undo and redo."""

from typing import Final

from .parameter import ROOT, Kind, Parameter, Value

SLOTS: Final = 9
"""Slots of snapshots, and cue points of a track."""
LONGEST_MORPH_S: Final = 600.0


def _slot_trigger(name: str, meaning: str) -> Parameter:
    """A parameter that acts on the slot that it is set to."""
    return Parameter(f"{ROOT}/{name}", "int", 1, SLOTS, "", None, meaning, acts=True)


def _step(name: str, meaning: str) -> Parameter:
    """A trigger that goes a step further each time."""
    return Parameter(f"{ROOT}/{name}", "trigger", None, None, "", None, meaning, acts=True)


def _end(name: str, default: int) -> Parameter:
    meaning = f"Slot at the {'left' if name == 'a' else 'right'} end of the crossfader."
    return Parameter(f"{ROOT}/morph/{name}", "int", 1, SLOTS, "", default, meaning)


def _watched(
    name: str,
    kind: Kind,
    default: Value,
    meaning: str,
    *,
    low: float | None = 0.0,
    high: float | None = None,
    unit: str = "",
) -> Parameter:
    return Parameter(f"{ROOT}/{name}", kind, low, high, unit, default, meaning, writable=False)


SNAPSHOT_ROWS: Final[tuple[Parameter, ...]] = (
    _slot_trigger("snapshot/store", "Store faders, targets and wet in this slot."),
    _slot_trigger("snapshot/recall", "Set faders, targets and wet as they are stored in this slot, at once."),
    _slot_trigger("snapshot/clear", "Empty this slot."),
    Parameter(
        f"{ROOT}/snapshot/name",
        "string",
        None,
        None,
        "",
        "",
        'Name the slot stored or recalled last, or another one: "3: Chorus".',
        acts=True,
    ),
    Parameter(
        f"{ROOT}/snapshot/preset",
        "string",
        None,
        None,
        "",
        "",
        'Save the snapshot stored or recalled last as a preset of this name, or another one: "3: chorus".',
        acts=True,
    ),
    _watched("snapshot/slot", "int", 0, "The slot stored or recalled last; 0: none.", high=SLOTS),
    *(
        _watched(f"snapshot/names/{slot}", "string", "", f"Name of slot {slot}; empty: nothing is stored.", low=None)
        for slot in range(1, SLOTS + 1)
    ),
    _slot_trigger("morph/to", "Go from here to the snapshot in this slot, within morph/seconds."),
    Parameter(f"{ROOT}/morph/seconds", "float", 0.0, LONGEST_MORPH_S, "s", 4.0, "How long a morph takes."),
    Parameter(
        f"{ROOT}/morph/position",
        "float",
        0.0,
        1.0,
        "",
        0.0,
        "Crossfader between the snapshots in slots morph/a (0) and morph/b (1).",
    ),
    _end("a", 1),
    _end("b", 2),
    Parameter(f"{ROOT}/morph/stop", "trigger", None, None, "", None, "Stop the morph where it is."),
    _watched("morph/progress", "float", None, "How far the morph is, 0..1; unknown without one.", high=1.0),
    _slot_trigger("cue/set", "Set this cue point to the position in the track that plays."),
    _slot_trigger("cue/go", "Go to this cue point of the track that plays."),
    _slot_trigger("cue/clear", "Remove this cue point of the track that plays."),
    *(
        _watched(
            f"cue/points/{cue}",
            "float",
            None,
            f"Position of cue point {cue} in the track that plays; unknown where not set.",
            unit="s",
        )
        for cue in range(1, SLOTS + 1)
    ),
    _step("undo", "Take back the last move of faders, targets or wet."),
    _step("redo", "Do again what was taken back last."),
    _watched("state/undo", "int", 0, "How many moves can be taken back."),
    _watched("state/redo", "int", 0, "How many can be done again."),
    Parameter(
        f"{ROOT}/preset/save",
        "string",
        None,
        None,
        "",
        "",
        "Save the faders as a preset of this name (letters, digits, - and _).",
        acts=True,
    ),
    _watched("state/presets", "int", 0, "How often presets have been saved in this show."),
    Parameter(
        f"{ROOT}/track/preset",
        "string",
        None,
        None,
        "",
        "",
        "Preset that is loaded when the track that plays begins, kept by its sound; empty: none.",
    ),
)
"""A snapshot does not hold the output gain: how loud it is belongs to the room."""
