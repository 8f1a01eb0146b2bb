"""The integration checklist, ticked and saved per developer."""
