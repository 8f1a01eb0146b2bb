"""Visitors of the inbox's pages."""

from __future__ import annotations

from tests.sandbox.console.conftest import new_visitor

__all__ = ["new_visitor"]
