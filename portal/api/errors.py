"""Every error under /api and /oauth becomes an envelope; a page gets the web's error page instead."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from flask import Flask, Response, current_app, g, request
from flask_limiter import RateLimitExceeded
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from portal.api.answers import refusal
from portal.api.settling import add_limit_headers
from portal.core.deadlines import hurry
from portal.core.errors import (
    PROBLEM,
    Conflict,
    DomainError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ServiceUnavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from portal.core.remedies import Remedy
from portal.core.store_errors import is_store_failure
from portal.limits import limiter

log = logging.getLogger("slipway.errors")

PageHandler = Callable[[DomainError], Response]
_BY_STATUS = {405: MethodNotAllowed, 413: PayloadTooLarge, 415: UnsupportedMediaType, 503: ServiceUnavailable}


def init_errors(app: Flask, show_error_page: PageHandler) -> None:
    """One handler for every error; `show_error_page` renders those of pages."""

    def handle(error: Exception) -> Response:
        domain_error = as_domain_error(error)
        g.refusal_code = domain_error.code
        return refusal(domain_error) if is_api_request() else show_error_page(domain_error)

    def count_strays(response: Response) -> Response:
        if is_api_request():
            try:
                add_limit_headers(response)
            except ServiceUnavailable:
                log.warning("limits cannot be counted", extra={"request_id": g.get("request_id")})
        return response

    def keep_private(response: Response) -> Response:
        if is_api_request():
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    def refuse_unreceived() -> None:
        problem: DomainError | None = request.environ.get(PROBLEM)
        if problem is not None:
            raise problem

    app.register_error_handler(Exception, handle)
    app.before_request(refuse_unreceived)
    app.after_request(keep_private)
    app.after_request(count_strays)


def is_api_request() -> bool:
    """True for requests that never get HTML."""
    return is_api_path(request.path)


def is_api_path(path: str) -> bool:
    """True for the API's paths and the token endpoint's."""
    return path.startswith(("/api/", "/oauth/")) or path == "/api"


def as_domain_error(error: Exception) -> DomainError:
    """The member of the family that stands for `error`."""
    error = getattr(error, "original_exception", None) or error
    if is_store_failure(error):
        return store_failed(error)
    if isinstance(error, RateLimitExceeded):
        error = _limit_hit(error)
    if isinstance(error, RateLimited) and "caller" not in g:
        error.offer(f"You can also write to {current_app.jinja_env.globals['site'].contact.email}.")  # type: ignore[attr-defined]
    if isinstance(error, DomainError):
        return error
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, StaleDataError):
        message = "Somebody else changed this record at the same time. Read it again, then repeat."
        return Conflict(message, remedy=Remedy("version", "the one you read", "the present one"))
    if isinstance(error, IntegrityError):
        log.exception("integrity error", extra={"request_id": g.get("request_id")})
        return Conflict("Another request changed the same data. Repeat the request.")
    if isinstance(error, DataError) or (isinstance(error, OverflowError) and "SQLite" in str(error)):
        log.warning("a value that no store takes", extra={"request_id": g.get("request_id")})
        return ValidationFailed({"request": "A value is too large, or has characters that cannot be stored"})
    log.exception("unexpected error", extra={"request_id": g.get("request_id")})
    return InternalError()


def store_failed(error: BaseException) -> ServiceUnavailable:
    """Return the refusal for a request whose store failed. What is left of it waits for no store any more."""
    hurry()
    log.warning("store unavailable: %s", error.__cause__ or error, extra={"request_id": g.get("request_id")})
    return error if isinstance(error, ServiceUnavailable) else ServiceUnavailable()


def _from_http(error: HTTPException) -> DomainError:
    status = error.code or 500
    if status == 404:
        return NotFound()
    if status in _BY_STATUS:
        translated: DomainError = _BY_STATUS[status]()
        valid = getattr(error, "valid_methods", None)
        if status == 405 and valid:
            translated.headers = {"Allow": ", ".join(sorted(valid))}
        return translated
    if 400 <= status < 500:
        return ValidationFailed({"request": error.description or "The request cannot be read"})
    return InternalError()


def _limit_hit(error: RateLimitExceeded) -> RateLimited:
    scope = str(error.limit.scope or "requests") if error.limit else "requests"
    current = limiter.current_limit
    if current is None:
        return RateLimited(scope, 60)
    wait = max(1, math.ceil(current.reset_at - time.time()))
    return RateLimited(scope, wait, count=current.limit.amount, reset_at=int(current.reset_at))
