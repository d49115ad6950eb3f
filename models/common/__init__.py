"""What every layer may use, without torch: names and numbers, errors, paths, atomic files, formatting."""
