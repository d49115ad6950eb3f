"""What the messages of the player change in a show: what took effect, analyses, measurements, processes that end."""

from collections.abc import Sequence
from typing import Final

from ...engine.processes.messages import (
    AnalysisProgress,
    AppliedEvent,
    EventsApplied,
    MeasuredEffect,
    Notice,
    PlayerMessage,
    ProcessStatus,
    TargetsSolved,
    TrackAnalyzed,
    TrackThumbnail,
)
from ..parameters.table import ROOT
from .setting import load_track_preset
from .state import SessionState
from .values.loop_edges import LOOP
from .values.meters import measured_values

_BY_ITSELF: Final = "targets"  # source of changes that nobody sets


def take_message(state: SessionState, message: PlayerMessage) -> None:
    """Take over what a message says.

    Parameters
    ----------
    state : SessionState
        The show.
    message : PlayerMessage
        From any process of the player.
    """
    match message:
        case EventsApplied(events):
            state.recording.write_events(events, state.tracks.summaries)
            with state.lock:
                _follow_loop(state, events)
        case Notice(text):
            state.note(text)
        case ProcessStatus():
            _follow_process(state, message)
        case MeasuredEffect():
            with state.lock:
                if message.track == state.moment().track:  # (it may come after the track has changed)
                    state.values.update(measured_values(message))
        case AnalysisProgress() | TrackThumbnail():
            state.tracks.take(message)
        case TrackAnalyzed():
            _use_analysis(state, message)
        case TargetsSolved():
            with state.lock:
                state.put(state.show_control.solved(message, state.values, state.moment()), _BY_ITSELF)


def _follow_loop(state: SessionState, events: Sequence[AppliedEvent]) -> None:
    """Take over how the loop is, which the player ends by itself, unless it has been switched again since."""
    switched = [bool(event.value) for event in events if event.address == LOOP]
    player = state.player
    if switched and (player is None or LOOP not in player.meters().awaited):
        state.values.update({LOOP: switched[-1]})


def _follow_process(state: SessionState, message: ProcessStatus) -> None:
    """Show how a process is; without the analysis process targets are not measured, but when it is there again."""
    state.processes[message.process] = message.state
    state.values.update({f"{ROOT}/state/{message.process}": message.state})
    if message.process == "analyzer":
        with state.lock:
            moment = state.moment()
            if message.state == "running":
                state.show_control.targets.measure_again(moment)
            else:
                state.show_control.targets.unmeasured(message.text)
            state.put(state.show_control.status(moment), _BY_ITSELF)
    state.note(message.text)


def _use_analysis(state: SessionState, message: TrackAnalyzed) -> None:
    """A track has been analysed: its targets are solved, and what is kept by its sound is known now."""
    track, show_control = message.track, state.show_control
    state.tracks.take(message)
    show_control.targets.analyzed(track, state.tracks.surrogates[track])
    with state.lock:
        moment = state.moment()
        values = show_control.track_changed(state.values, moment) if moment.track == track else {}
        state.put(values, _BY_ITSELF)
        if moment.track == track:
            load_track_preset(state)
    show_control.cues.identify(track, message.summary.digest)
    show_control.presets.identify(track, message.summary.digest)
