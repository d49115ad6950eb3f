"""How good a network is: metrics with bootstrap intervals, validity, sweeps, robustness."""
