"""Outgoing calls: records of the ERP sent to partners' systems, as mappings say (contract section 7)."""
