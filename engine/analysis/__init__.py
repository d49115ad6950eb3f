"""The analysis of a track: made, stored, cached; predictions, the linear surrogate, faithfulness."""
