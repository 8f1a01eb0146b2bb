"""The sandbox page: a tenant of one's own, real requests, their log."""
