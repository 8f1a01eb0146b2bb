"""Leads: what visitors leave, and what sales makes of it."""
