"""The records of the documented ERP, one file each."""
