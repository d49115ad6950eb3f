"""Checks of a sound file before it is decoded: container, declared length, loudspeaker layout."""
