"""Filling a tenant with its seed, and putting it back."""
