"""The page of an explanation: one HTML file that plays the sounds beside the figures, and needs nothing but them."""

import importlib.resources
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2

from ...models.common.constants import MIDLEVEL, RELIABILITY_THRESHOLD
from ...models.common.formatting import display_name, format_duration, format_signed
from ..analysis.analysis import Analysis
from ..analysis.faithfulness import FaithfulnessCurve
from ..analysis.prediction import Prediction
from ..audio.track import Track
from .colours import page_variables

_ESTIMATORS: Final = {
    "gradient": "expected gradients",
    "local": "local regression",
    "lime": "LIME, the paper's procedure",
}
_PERTURBATIONS: Final = {"gain": "gains of \u00b16 dB a segment", "hide": "segments masked with silence"}
_CHANGES: Final = {"gain": "boost", "hide": "hide"}
"""The change of the faithfulness curves that goes with each perturbation."""


def render_html(
    track: Track,
    analysis: Analysis,
    prediction: Prediction,
    files: Mapping[str, Path],
    features: Sequence[str],
    curves: Sequence[FaithfulnessCurve],
    *,
    excerpt_s: tuple[float, float],
) -> str:
    """Fill in the template.

    Parameters
    ----------
    track, analysis, prediction
        The track, its analysis, and the prediction for the whole of it.
    files
        Figures and sounds by key, as explanation_paths names them; links are to the files beside the page.
    features
        Names of the features explained.
    curves
        Faithfulness curves; may be empty.
    excerpt_s
        The excerpt shown, (begin, end) in seconds.

    Returns
    -------
    str
        The HTML text.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_resource("explanation_page.html.j2"))
    shown = [_feature(feature, analysis, prediction, files, curves) for feature in features]
    return template.render(
        title=track.path.name,
        facts=_facts(analysis, excerpt_s),
        style=page_variables() + _resource("explanation_page.css"),
        script=_resource("explanation_page.js"),
        threshold=f"{RELIABILITY_THRESHOLD:g}",
        features=shown,
        unreliable=[feature["name"] for feature in shown if not feature["is_reliable"]],
        beyond_random=any(feature["beyond_random"] for feature in shown),
        effects=_figure(files, "effects", f"Effect of each feature on each emotion in {track.path.name}"),
    )


def _facts(analysis: Analysis, excerpt_s: tuple[float, float]) -> list[str]:
    begin, end = map(format_duration, excerpt_s)
    settings = analysis.settings
    return [
        f"{begin} to {end} of {format_duration(analysis.duration_s)}",
        f"{len(analysis.weights)} segments ({settings.segmentation})",
        f"{_ESTIMATORS[settings.estimator]}, {settings.passes} evaluations, {_PERTURBATIONS[settings.perturbation]}, "
        f"seed\N{NO-BREAK SPACE}{settings.seed}",
        f"model {analysis.model_digest[:12]}",
    ]


def _feature(
    feature: str,
    analysis: Analysis,
    prediction: Prediction,
    files: Mapping[str, Path],
    curves: Sequence[FaithfulnessCurve],
) -> dict[str, Any]:
    """The numbers, sounds and figures of one feature, as the template names them."""
    column, name = MIDLEVEL.index(feature), display_name(feature)
    counts = analysis.significant_counts()[feature]
    change = _CHANGES[analysis.settings.perturbation]
    beyond = {c.side: c.area_above_random for c in curves if (c.feature, c.change) == (feature, change)}
    sounds = (
        ("original", "as it is", "nothing changed"),
        (f"{feature}_enhanced", f"more {name}", "its fader at +6 dB"),
        (f"{feature}_alone", f"{name} alone", "only the segments that raise it"),
    )
    figures = (
        (feature, f"Spectrograms of the segments that raise and lower {name}, and the largest weights"),
        (f"{feature}_curves", f"Predicted {name} while the segments with the largest weights change"),
    )
    return {
        "key": feature,
        "name": name,
        "predicted": f"{prediction.midlevel[feature]:.2f}",
        "reliability": f"{analysis.reliability[column]:.3f}",
        "is_reliable": analysis.reliability[column] >= RELIABILITY_THRESHOLD,
        "split_half_r": f"{analysis.half_agreement[column]:.3f}",
        "surrogate_r2": f"{analysis.explained_share[column]:.2f}",
        "raising": counts["positive"],
        "lowering": counts["negative"],
        "beyond_random": [format_signed(beyond[side], ".3f") for side in ("for", "against") if side in beyond],
        "sounds": [
            {"title": title, "text": text, "link": _link(files[key])} for key, title, text in sounds if key in files
        ],
        "figures": [_figure(files, key, alt) for key, alt in figures if key in files],
    }


def _figure(files: Mapping[str, Path], key: str, alt: str) -> dict[str, Any]:
    svg = files.get(f"{key}_svg")
    return {
        "link": _link(files[key]),
        "alt": alt,
        "kind": files[key].suffix[1:].upper(),
        "svg": None if svg is None else _link(svg),
    }


def _link(path: Path) -> str:
    return quote(path.name)


def _resource(name: str) -> str:
    return (importlib.resources.files(__package__) / name).read_text(encoding="utf-8")
