"""Tenants, plans, roles, keys, tokens and the audit trail."""
