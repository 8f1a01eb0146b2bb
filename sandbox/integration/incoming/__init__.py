"""Incoming integration: an external system's own JSON becomes records of the ERP, by a mapping (contract section 7)."""
