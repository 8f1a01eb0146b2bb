"""The inbox: receiving addresses of a sandbox, which show what arrived and answer as they are told (section 8)."""
