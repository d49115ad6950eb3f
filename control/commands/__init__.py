"""The commands that work on files: predict, analyze, explain, render, demo; presets and the cache."""
