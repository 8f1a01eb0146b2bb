"""Two-way integration: mappings in and out, their logs and pages (contract section 7)."""
