"""A live set as a pure function of tracks, masks and control events; recorded and replayed exactly."""
