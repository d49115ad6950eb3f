"""Set lists: playlists (.m3u8), and files of our own (.toml) with presets, cue points and snapshots by track."""
