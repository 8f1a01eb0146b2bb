"""Delivery: one engine for whatever leaves a sandbox, webhooks and outgoing sends alike (contract section 7)."""
