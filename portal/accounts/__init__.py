"""Developers: signing up, signing in, who is looking at a page."""
