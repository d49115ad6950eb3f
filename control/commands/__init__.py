"""Commands that work on files: predict, analyze, explain, render, steer, listen-test, demo; presets and cache."""
