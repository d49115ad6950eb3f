"""Which tracks a batch is about: sources, manifests, names; and their bytes as local files."""
