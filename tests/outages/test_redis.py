"""Redis gone, full, or back again: 503 with Retry-After, never a 500."""

from __future__ import annotations

from tests.outages.calls import answered, faults
from tests.outages.conftest import Stack


def test_every_request_without_redis_is_told_to_come_back(stack: Stack) -> None:
    stack.redis.stop()
    assert faults(stack.caller) == []
    with_a_key = {name: status for name, status in answered(stack.caller).items() if " /api/v2/" in name}
    assert set(with_a_key.values()) == {503}


def test_every_request_to_a_full_redis_is_told_to_come_back(stack: Stack) -> None:
    with stack.redis.fill():
        assert faults(stack.caller) == []
        assert stack.alice.get("/api/v2/customers").status_code == 503
    assert stack.alice.get("/api/v2/customers").status_code == 200


def test_a_redis_that_comes_back_is_used_again_without_an_error(stack: Stack) -> None:
    stack.redis.stop()
    during = [stack.alice.get("/api/v2/customers").status_code for _ in range(3)]
    stack.redis.start()
    after = [stack.alice.get("/api/v2/customers").status_code for _ in range(3)]
    assert (during, after) == ([503] * 3, [200] * 3)
