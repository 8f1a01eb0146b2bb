"""Measures what the full stack costs, as ratios of one run: `make bench`."""
