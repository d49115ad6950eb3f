"""Rated recordings: a reader for each public data set, folds by group, spectrograms, augmentation."""
