"""evaluate --steering: moves of faders and targets at judges that took no part, as tables in Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.formatting import display_name
from ..console.output import Output

if TYPE_CHECKING:
    from ...engine.file_targets.evaluation import JudgedMove, SteeringEvidence
    from ...models.inference.checkpoint import Model
    from .training_options import SteeringOptions

ENOUGH = 0.4
"""Share of a move from which on a judge counts as sharing it."""
_RESAMPLES = 1000


def evaluate_steering_option(chosen: "SteeringOptions", model: "Model", console: Output) -> None:
    """Ask the jury and print its tables, or the record as JSON. Raises InputError as tracks and juries do."""
    from ...engine.audio.track import load_track
    from ...engine.file_targets.evaluation import evaluate_steering
    from ...models.jury.judges import load_jury

    if not chosen.steering:
        raise InputError("--steering needs a track")
    judges = load_jury(chosen.jury)
    tracks = [load_track(path) for path in chosen.steering]
    with console.progress("Asking the jury") as report:
        evidence = evaluate_steering(tracks, model, judges, coupled=chosen.coupled, progress=report)
    record = {
        "jury": chosen.jury,
        "judges": list(evidence.judges),
        "model": model.digest,
        "coupled": chosen.coupled,
        "tracks": [track.path.name for track in tracks],
        "heard": [asdict(one) for one in evidence.moves],
        "natural_slope": natural_slopes(evidence),
        "confirmed": confirmed_parts(evidence),
        "listener_units": listener_units(evidence),
        "heard_per_unit": heard_per_unit(evidence),
    }
    console.result(record, lambda: steering_page(evidence, jury=chosen.jury))


def steering_page(evidence: "SteeringEvidence", *, jury: str) -> str:
    """All tables in Markdown."""
    from ...engine.file_targets.evaluation import one_sided
    from ...engine.steering.faders.levels import MIN_EFFECT

    tracks = len({one.track for one in evidence.moves})
    faders = [one for one in evidence.moves if one.kind == "fader"]
    lines = [f"{jury} jury, {tracks} tracks, faders at +6 and -6 dB, loudness matched; intervals 95 %, over tracks."]
    lines += [
        "",
        *_head("fader", evidence),
        *(_row(name, own) for name, own in _by_name(faders)),
        _row("all", faders),
    ]
    shown = [replace(one, own=_shown_part(one)) for one in faders]
    lines.append(_row("all, of the part that is shown as confirmed", faders, share_of=shown))
    if likely := [(one, part) for one, part in zip(faders, shown, strict=True) if part.own >= MIN_EFFECT]:
        name = f"the {len(likely)} of {len(faders)} of which {MIN_EFFECT:g} or more is shown as confirmed"
        lines.append(_row(name, [one for one, _ in likely], share_of=[part for _, part in likely]))
    lines.append(_row("all, half the way from -6 to +6 dB", _between_sides(faders)))
    random = [one for one in evidence.moves if one.kind == "random"]
    lines += [_row("random field of the same size", random, share_of=faders)]
    aside = zip(("own", *evidence.judges), one_sided(random), strict=True)
    sides = ", ".join(f"{name} {moved:+.3f}" for name, moved in aside)
    lines += ["", f"Whichever way it goes, a random field moves a feature by, on the mean: {sides}."]
    for what, base in (("the network's own move", faders), ("what is shown as confirmed", shown)):
        lines += ["", f"Each judge hears at least {ENOUGH:.2f} of {what} in: {_shared_by_every_judge(faders, base)}."]
    slopes = ", ".join(f"{name} {slope:.2f}" for name, slope in natural_slopes(evidence).items())
    lines += ["", f"Natural: a judge's difference between two tracks per difference at the network: {slopes}."]
    parts = ", ".join(f"{display_name(name)} {a:.2f} ± {b:.2f}" for name, (a, b) in mean_shares(evidence).items())
    lines += ["", f"The mean share of the judges, with its standard error: {parts}."]
    targets = [one for one in evidence.moves if one.kind == "target"]
    lines += ["", *_head("target", evidence)]
    for size in sorted({abs(one.asked) for one in targets}):
        asked = [one for one in targets if abs(one.asked) == size]
        lines.append(_row(f"one emotion by ±{size:g}", asked))
    lines += [_row(name, own) for name, own in _by_name(targets)]
    return "\n".join(lines)


def _between_sides(faders: Sequence["JudgedMove"]) -> list["JudgedMove"]:
    """Half of what each fader moves from -6 to +6 dB: what a judge says of any change cancels."""
    above = {(one.track, one.name): one for one in faders if one.asked > 0}
    pairs = [(above[one.track, one.name], one) for one in faders if one.asked < 0]
    return [
        replace(
            up,
            own=(up.own + down.own) / 2,
            judges=tuple((a + b) / 2 for a, b in zip(up.judges, down.judges, strict=True)),
            others=(up.others + down.others) / 2,
            rms_db=(up.rms_db + down.rms_db) / 2,
            quality=None if up.quality is None or down.quality is None else min(up.quality, down.quality),
        )
        for up, down in pairs
    ]


def _shown_part(one: "JudgedMove") -> float:
    """What is shown as confirmed of a fader's own move."""
    from ...engine.steering.faders.confirmed import CONFIRMED

    return (CONFIRMED[one.name] if one.confirmed is None else one.confirmed) * one.own


def _shared_by_every_judge(moves: Sequence["JudgedMove"], base: Sequence["JudgedMove"]) -> str:
    """The features of which each judge hears at least ENOUGH of the own moves of `base`, in words."""
    own = {name: float(np.mean([one.own for one in some])) for name, some in _by_name(base)}
    least = {
        name: np.mean([one.judges for one in some], axis=0).min() / own[name]
        for name, some in _by_name(moves)
        if own[name] > 0  # (of a fader that does nothing there is nothing to hear)
    }
    names = [display_name(name) for name, share in least.items() if share >= ENOUGH]
    return ", ".join(names) if names else "none"


def natural_slopes(evidence: "SteeringEvidence") -> dict[str, float]:
    """By judge: slope of its values against the network's over the tracks, means of all outputs taken off."""
    centred = evidence.natural - evidence.natural.mean(0)
    own = centred[:, 0].ravel()
    return {
        name: float((centred[:, number].ravel() @ own) / max(float(own @ own), 1e-12))
        for number, name in enumerate(evidence.judges, start=1)
    }


def mean_shares(evidence: "SteeringEvidence") -> dict[str, tuple[float, float]]:
    """By feature: the share of the network's own move that the judges hear on average, and its standard error.

    Other judges would hear other tracks otherwise: the error is that of the mean over the judges and of the mean over
    the tracks.
    """
    found = {}
    for name, faders in _by_name([one for one in evidence.moves if one.kind == "fader"]):
        own = np.array([one.own for one in faders])
        judged = np.array([one.judges for one in faders])  # [faders, judges]
        base = max(float(own.mean()), 1e-9)
        shares = judged.mean(0) / base
        share = float(shares.mean())
        tracks = np.array([one.track for one in faders])
        rest = judged.mean(1) - share * own  # linearised: the error of a ratio of two means
        by_track = [rest[tracks == number].mean() for number in np.unique(tracks)]
        variance = _mean_variance(shares) + _mean_variance(by_track) / base**2
        found[name] = share, float(np.sqrt(variance))
    return found


def confirmed_parts(evidence: "SteeringEvidence") -> dict[str, float]:
    """By feature: the share that can be promised of other judges, within 0..1.

    The mean share less its standard error; and as the highest of seven uncertain shares owe some of that to luck,
    those above the mean of all features are drawn to it first, by the noise's part of the variance between features
    (empirical Bayes). Of the development jury, this is the table of steering/faders/confirmed.py.
    """
    found = mean_shares(evidence)
    shares, errors = np.array(list(found.values())).T
    noise = float((errors**2).mean())
    between = max(float(shares.var(ddof=1)) - noise, 0.0) if len(shares) > 1 else 0.0
    centre = shares.mean()
    drawn = centre + (shares - centre) * (between / max(between + noise, 1e-12))
    promised = np.clip(np.minimum(shares, drawn) - errors, 0, 1)
    return dict(zip(found, promised.tolist(), strict=True))


def listener_units(evidence: "SteeringEvidence") -> dict[str, float]:
    """How far each further listener moves under a fader, root mean square: LISTENER_UNITS of confirmed.py."""
    faders = [one for one in evidence.moves if one.kind == "fader"]
    names = faders[0].listeners if faders else ()
    return {name: float(np.sqrt(np.mean([one.listeners[name] ** 2 for one in faders]))) for name in names}


def heard_per_unit(evidence: "SteeringEvidence") -> dict[str, float]:
    """By feature: what judges can be expected to move by where every listener moves by its unit.

    The slope of the judges' mean move on what the listeners agree on (confirmed.py), less its standard error:
    over the tracks (jackknife) and over the judges. Of the development jury it is the table of confirmed.py.
    """
    from ...engine.steering.faders.confirmed import agreed_moves, listener_weights

    units = listener_units(evidence)
    found = {}
    for name, faders in _by_name([one for one in evidence.moves if one.kind == "fader" and one.listeners]):
        moved = np.array([[one.listeners[listener] / unit for listener, unit in units.items()] for one in faders])
        weights = listener_weights(tuple(units))[:, [MIDLEVEL.index(name)]]
        agreed = agreed_moves(moved.T, weights)
        judged = np.array([one.judges for one in faders])  # [faders, judges]
        tracks = np.array([one.track for one in faders])
        numbers = np.unique(tracks)
        left_out = [float(_slopes(agreed[tracks != number], judged[tracks != number]).mean()) for number in numbers]
        by_judge = _slopes(agreed, judged)
        variance = (len(numbers) - 1) * float(np.var(left_out)) + _mean_variance(by_judge)
        found[name] = max(float(by_judge.mean()) - float(np.sqrt(variance)), 0.0)
    return found


def _slopes(x: Any, columns: Any) -> Any:  # noqa: ANN401
    """Slope through zero of each column [n, columns] on x [n]; 0 where x is."""
    return x @ columns / max(float(x @ x), 1e-12)


def _mean_variance(values: Any) -> float:  # noqa: ANN401
    """Variance of the mean of some values; of one alone it is not known, and taken as 0."""
    return float(np.var(values, ddof=1) / len(values)) if len(values) > 1 else 0.0


def _head(what: str, evidence: "SteeringEvidence") -> list[str]:
    judges = " | ".join(f"{name}: share, sign" for name in evidence.judges)
    columns = f"| {what} | own move | {judges} | others per own | rms dB | quality, least |"
    return [columns, "|" + " --- |" * (columns.count("|") - 1)]


def _row(name: str, moves: Sequence["JudgedMove"], *, share_of: Sequence["JudgedMove"] | None = None) -> str:
    """A row of a table; targets' moves are per asked. share_of: whose own moves the judges' are divided by."""
    target = moves[0].kind == "target"
    unit = np.array([abs(one.asked) if target else 1.0 for one in moves])
    own = np.array([one.own for one in moves]) / unit
    judged = np.array([one.judges for one in moves]) / unit[:, None]
    base = own if share_of is None else np.array([one.own for one in share_of])
    tracks = np.array([one.track for one in moves])
    cells = []
    for column in judged.T:
        share = column.mean() / base.mean() if not target else column.mean()
        low, high = _interval(column, base if share_of is None else None, tracks, fixed=base.mean(), target=target)
        cells.append(f"{share:.2f} ({low:.2f} to {high:.2f}), {(column > 0).mean():.2f}")
    scores = [one.quality for one in moves if one.quality is not None]
    quality = f"{np.mean(scores):.2f}, {min(scores):.2f}" if scores else "-"
    others = (
        f"{np.mean([one.others for one in moves]) / abs(own.mean()):.2f}" if not target and share_of is None else ""
    )
    rms = np.mean([one.rms_db for one in moves])
    shown = f"{own.mean():.2f} of asked" if target else f"{own.mean():+.3f}"
    return f"| {display_name(name)} | {shown} | {' | '.join(cells)} | {others} | {rms:.1f} | {quality} |"


def _interval(
    judged: Any,  # noqa: ANN401
    own: Any,  # noqa: ANN401
    tracks: Any,  # noqa: ANN401
    *,
    fixed: float,
    target: bool,
) -> tuple[float, float]:
    """95 % of the share under resampling of tracks."""
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(tracks == number) for number in np.unique(tracks)]
    drawn = []
    for _ in range(_RESAMPLES):
        chosen = np.concatenate([rows[number] for number in rng.integers(len(rows), size=len(rows))])
        below = 1.0 if target else fixed if own is None else own[chosen].mean()
        drawn.append(judged[chosen].mean() / below)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def _by_name(moves: Sequence["JudgedMove"]) -> list[tuple[str, list["JudgedMove"]]]:
    names = dict.fromkeys(one.name for one in moves)
    return [(name, [one for one in moves if one.name == name]) for name in names]
