"""The commands train and evaluate: options, data sets from disk, cross-validation runs."""
