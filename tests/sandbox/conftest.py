"""What the tests of the sandbox share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.rehearsal import waiting
from tests.sandbox.gate import Gate


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Calls that are to wait for some time wait for this gate instead."""
    gate = Gate()
    monkeypatch.setattr(waiting, "hold", gate.hold)
    yield gate
    gate.open()
