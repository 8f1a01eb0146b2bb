"""Reports over a tenant's records."""
