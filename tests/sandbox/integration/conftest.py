"""Visitors of the integration pages."""

from tests.sandbox.console.conftest import Visitor, new_visitor

__all__ = ["Visitor", "new_visitor"]
