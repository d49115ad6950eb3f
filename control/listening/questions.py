"""What is asked of listeners: which of two sounds has more of an emotion or a feature."""

import difflib
from typing import Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError

WORDS: Final = {
    "valence": "more pleasant",
    "energy": "more energetic",
    "tension": "more tense",
    "anger": "angrier",
    "fear": "more fearful",
    "happy": "happier",
    "sad": "sadder",
    "tender": "more tender",
    "melodiousness": "more melodious",
    "articulation": "more staccato",
    "rhythmic_complexity": "rhythmically more complex",
    "rhythmic_stability": "rhythmically more stable",
    "dissonance": "more dissonant",
    "tonal_stability": "tonally more stable",
    "modality": "more minor",
}
"""The question's words by name of the emotion or feature, for a shift upwards."""


def question_called(name: str) -> str:
    """The emotion or feature of that name. Raises InputError, with the likeliest one."""
    known = name.strip().lower().replace("-", "_")
    if known not in WORDS:
        near = difflib.get_close_matches(known, WORDS, n=1)
        guess = f"did you mean {near[0]}?" if near else f"there are {', '.join((*EMOTIONS, *MIDLEVEL))}"
        raise InputError(f"nothing can be asked about {name[:40]!r}: {guess}")
    return known


def question_text(name: str) -> str:
    """The question as listeners read it."""
    return f"Which one sounds {WORDS[name]}?"
