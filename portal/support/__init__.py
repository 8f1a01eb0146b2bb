"""Support: guests' conversations and the staff who answer."""
