"""The checklist as one form."""

from __future__ import annotations

from portal.web.csrf import SealedForm


class ChecklistForm(SealedForm):
    """The token alone; which boxes there are, the content says."""
