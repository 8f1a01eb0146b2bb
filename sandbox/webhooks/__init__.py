"""Webhooks: endpoints that are told of events, signed by the Standard Webhooks specification (contract section 7)."""
