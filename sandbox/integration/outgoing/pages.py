"""The pages of outgoing calls, all below /sandbox/integration."""

from __future__ import annotations

from sandbox.integration.outgoing import connection_pages, log_pages, mapping_pages, settings_pages, trial_pages
from sandbox.integration.visiting import integration_pages

blueprint = integration_pages("outgoing", __name__)
for pages in (log_pages, mapping_pages, trial_pages, connection_pages, settings_pages):
    pages.add_routes(blueprint)
