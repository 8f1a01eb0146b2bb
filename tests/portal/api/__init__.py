"""Tests of the mechanism that carries out operations."""
