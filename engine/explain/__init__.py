"""Which segments move which feature: segmentation, perturbation, estimators, significance."""
