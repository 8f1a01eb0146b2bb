"""Rehearsing: outcomes on request, the tenant's clock, snapshots, the log of calls (contract section 8)."""
