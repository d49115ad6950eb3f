"""What is known of the tracks of a set list: progress of their analyses, summaries, surrogates, thumbnails."""

import numpy as np

from ....engine.analysis.surrogate import Surrogate, TrackSummary
from ....engine.processes.messages import AnalysisProgress, TrackAnalyzed, TrackThumbnail


class AnalyzedTracks:
    """Progress, summaries, surrogates and thumbnails, by number of the track.

    Attributes
    ----------
    summaries : dict of int to TrackSummary
        Of the analysed tracks.
    surrogates : dict of int to Surrogate
        Their linear surrogates.
    thumbnails : dict of int to array
        Small spectrograms, uint8 [columns, rows].
    progress : dict of int to float
        How far an analysis is, 0..1.
    """

    def __init__(self) -> None:
        self.summaries: dict[int, TrackSummary] = {}
        self.surrogates: dict[int, Surrogate] = {}
        self.thumbnails: dict[int, np.ndarray] = {}
        self.progress: dict[int, float] = {}

    def take(self, message: AnalysisProgress | TrackAnalyzed | TrackThumbnail) -> None:
        """Take over a message of the player. Raises InputError for an analysis that cannot be read."""
        match message:
            case TrackThumbnail(track, levels):
                self.thumbnails[track] = levels
            case AnalysisProgress(track, fraction):
                self.progress[track] = fraction
            case TrackAnalyzed(track, summary):
                surrogate = Surrogate(summary)
                self.summaries[track], self.surrogates[track], self.progress[track] = summary, surrogate, 1.0

    def digest(self, track: int) -> str | None:
        """Digest of a track's samples, once it is known."""
        summary = self.summaries.get(track)
        return None if summary is None else summary.digest
