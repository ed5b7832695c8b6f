"""Reproducible measurements. Ratios of things that ran side by side in one run; absolute times mean nothing."""
