"""Data that ships with the package: presets (TOML) and the demonstration track."""
