"""The page of an explanation: one HTML file that plays the sounds beside the pictures, and needs nothing but them."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ...models.common.constants import MIDLEVEL, RELIABILITY_THRESHOLD
from ...models.common.formatting import display_name, format_duration, format_signed
from ..analysis.analysis import Analysis
from ..analysis.faithfulness import FaithfulnessCurve
from ..analysis.prediction import Prediction
from ..audio.track import Track
from .page_style import SCRIPT, STYLE

_ESTIMATORS: Final = {
    "gradient": "expected gradients",
    "local": "local regression",
    "lime": "LIME, the paper's procedure",
}
_PERTURBATIONS: Final = {"gain": "segments up and down by 6 dB", "hide": "segments hidden"}
_ASKED: Final = {"gain": "boost", "hide": "hide"}
"""Which change of the curves asks what the perturbation asked."""


def render_html(
    track: Track,
    analysis: Analysis,
    heard: Prediction,
    files: Mapping[str, Path],
    features: Sequence[str],
    curves: Sequence[FaithfulnessCurve],
    *,
    stretch_s: tuple[float, float],
) -> str:
    """The HTML text; links are to the files beside it. heard: what the network hears in the whole track."""
    name = html.escape(track.path.name)
    begin, end = stretch_s
    settings = analysis.settings
    facts = (
        f"{format_duration(begin)} to {format_duration(end)} of {format_duration(analysis.duration_s)} · "
        f"{len(analysis.weights)} segments "
        f"({html.escape(settings.segmentation)}) · {_ESTIMATORS[settings.estimator]}, {settings.passes} passes, "
        f"{_PERTURBATIONS[settings.perturbation]}, seed\N{NO-BREAK SPACE}{settings.seed}"
        f" · model {html.escape(analysis.model_digest[:12])}"
    )
    links = "".join(f'<a href="#{feature}">{display_name(feature)}</a>' for feature in features)
    sections = "".join(_feature(feature, analysis, files, curves) for feature in features)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{name}: what the network hears, and why</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{name}: what the network hears, and why</h1>
<p class="facts">{facts}</p>
<nav>{links}<a href="#effects">emotions</a></nav>
<section>
<h2>How far to trust it</h2>
<p>Stability: how well the weights of another run would correlate with these. R²: how much of what the network says
of the changed sound is explained by a sum over segments. Beyond random: how much further than random segments of the
same area the strongest ones move the prediction.</p>
{_warning(analysis, features)}
{_table(analysis, heard, features, curves)}
</section>
{sections}
<section id="effects">
<h2>From features to emotions</h2>
<p>The emotions are a sum of the features' effects; each panel shows one emotion of the whole track.</p>
{_picture(files, "effects", f"Effect of each feature on each emotion in {track.path.name}")}
</section>
</main>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _warning(analysis: Analysis, features: Sequence[str]) -> str:
    names = [
        f"<b>{display_name(name)}</b>"
        for name in features
        if analysis.reliability[MIDLEVEL.index(name)] < RELIABILITY_THRESHOLD
    ]
    if not names:
        return ""
    few = "its" if len(names) == 1 else "their"
    return (
        f'<p class="warning">Not stable: {", ".join(names)}. Another run would find somewhat different segments '
        f"(stability below {RELIABILITY_THRESHOLD:g}), so {few} pictures, sounds and faders say less. "
        "More passes help.</p>"
    )


def _table(
    analysis: Analysis, heard: Prediction, features: Sequence[str], curves: Sequence[FaithfulnessCurve]
) -> str:
    counts = analysis.significant_counts()
    asked = {(c.feature, c.side): c for c in curves if c.change == _ASKED[analysis.settings.perturbation]}
    beyond = '<th class="for">beyond random, for</th><th class="against">beyond random, against</th>' if asked else ""
    rows = []
    for feature in features:
        column = MIDLEVEL.index(feature)
        stability = float(analysis.reliability[column])
        cells = [
            f'<td><a href="#{feature}">{display_name(feature)}</a></td>',
            f"<td>{heard.midlevel[feature]:.2f}</td>",
            f"<td>{stability:.3f}{'' if stability >= RELIABILITY_THRESHOLD else ' · not stable'}</td>",
            f"<td>{float(analysis.half_agreement[column]):.3f}</td>",
            f"<td>{float(analysis.surrogate_r2[column]):.2f}</td>",
            f'<td class="for">{counts[feature]["positive"]}</td>',
            f'<td class="against">{counts[feature]["negative"]}</td>',
        ]
        if asked:
            cells += [
                f"<td>{format_signed(asked[feature, side].area_above_random, '.3f')}</td>"
                for side in ("for", "against")
            ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        '<div class="wide"><table><thead><tr><th>feature</th><th>heard, 0 to 1</th><th>stability</th>'
        "<th>r of two halves</th>"
        '<th>R² of the surrogate</th><th class="for">segments for</th><th class="against">segments against</th>'
        f"{beyond}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _feature(feature: str, analysis: Analysis, files: Mapping[str, Path], curves: Sequence[FaithfulnessCurve]) -> str:
    name = display_name(feature)
    players = "".join(
        _player(files, key, title, said)
        for key, title, said in (
            ("original", "as it is", "nothing changed"),
            (f"{feature}_enhanced", f"more {name}", "its fader at +6 dB"),
            (f"{feature}_alone", f"{name} alone", "only the segments that speak for it"),
        )
        if key in files
    )
    drawn = _picture(files, feature, f"Spectrograms of what speaks for and against {name}, and the strongest weights")
    bent = ""
    if f"{feature}_curves" in files:
        bent = _picture(files, f"{feature}_curves", f"Predicted {name} while its strongest segments change")
    return f"""<section id="{feature}">
<h2>{name[0].upper()}{name[1:]}</h2>
<p><span class="for">Blue</span> speaks for it, <span class="against">orange</span> against it; numbers lead from the
strongest segments to their weights.</p>
{_warning(analysis, [feature])}
<div class="players">{players}</div>
{drawn}{bent}
</section>
"""


def _player(files: Mapping[str, Path], key: str, title: str, said: str) -> str:
    return (
        f"<label><b>{html.escape(title)}</b>{html.escape(said)}"
        f'<audio controls preload="metadata" src="{_link(files[key])}"></audio></label>'
    )


def _picture(files: Mapping[str, Path], name: str, said: str) -> str:
    link = _link(files[name])
    vector = files.get(f"{name}_svg")
    more = f' · <a href="{_link(vector)}">SVG</a>' if vector else ""
    return (
        f'<div class="picture wide"><a href="{link}"><img src="{link}" alt="{html.escape(said)}" loading="lazy"></a>'
        f'</div><p class="more"><a href="{link}">{files[name].suffix[1:].upper()}</a>{more}</p>'
    )


def _link(path: Path) -> str:
    return html.escape(quote(path.name))
