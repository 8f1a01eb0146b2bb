"""Limits on what is stored: a request that is rejected gives its place back (contract section 4).

Limits by address, which count every request, are Flask-Limiter's; these wrap a view inside of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, g, make_response
from redis.exceptions import RedisError

from portal.core.errors import ServiceUnavailable
from portal.core.meter import KEY_LENGTH, Limit, Reading
from portal.core.runtime import abandon_transaction, runtime

log = logging.getLogger("slipway.limits")
View = Callable[..., Any]


@dataclass(frozen=True)
class Quota:
    """At most so many stored requests of one subject in a window; more are denied."""

    limit: Limit
    subject: Callable[[], str]

    def __call__(self, view: View) -> View:
        """Wrap a view. The place is taken beforehand, so that no two requests take the last one."""

        @wraps(view)
        def limited(*arguments: Any, **details: Any) -> Response:
            key = f"{self.limit.name}:{self.subject()}"[:KEY_LENGTH]
            used, reset_at = runtime().meter.add(key, self.limit.seconds, 1)
            if used > self.limit.count:
                self.exceed(key, reset_at)
            try:
                response = make_response(view(*arguments, **details))
            except Exception:
                self.give_back(key)
                raise
            if response.status_code >= 400:
                self.give_back(key)
            return response

        return limited

    def exceed(self, key: str, reset_at: int) -> None:
        """Deny the request. Raises RateLimited."""
        runtime().meter.add(key, self.limit.seconds, -1)
        Reading(self.limit, self.limit.count + 1, reset_at).refuse_if_exceeded()

    def give_back(self, key: str) -> None:
        """Take one off the count, after the request's own transaction has let go of its locks.

        If the store does not take it, the request's own refusal is what matters.
        """
        abandon_transaction()
        try:
            runtime().meter.add(key, self.limit.seconds, -1)
        except (ServiceUnavailable, RedisError):
            log.exception("a place of %s was not given back", self.limit.name)


@dataclass(frozen=True)
class Watch(Quota):
    """At most so many of one subject are stored as they are; more are stored with a reason for a person to look.

    What a publishable key sends to a sandbox is not watched: nobody is there to look.
    """

    reason: str = ""

    def exceed(self, key: str, reset_at: int) -> None:
        """Note the reason, for `noted_reasons`."""
        if "publishable_key" not in g:
            g.setdefault("watched", []).append(self.reason)


def noted_reasons() -> list[str]:
    """Return the reasons for which a person is to look at what this request stores."""
    return list(g.get("watched", []))
