"""The one family of errors. Services raise them; the edge turns each into an answer (contract section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal with a code of the closed list.

    `status` is the HTTP status, `code` the documented code, `title` a short heading for a notice,
    `extra` further members of the envelope, `headers` further response headers.
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Something went wrong"
    notice_type: ClassVar[str] = "failure"
    default_message: ClassVar[str] = "The request could not be completed."

    def __init__(self, message: str = "", **extra: Any) -> None:
        self.message = message or self.default_message
        self.extra: dict[str, Any] = extra
        self.headers: dict[str, str] = {}
        super().__init__(self.message)


class ValidationFailed(DomainError):
    """One or more fields are wrong; `errors` maps dotted paths to sentences."""

    status = 400
    code = "validation_failed"
    title = "Check the fields"
    default_message = "Validation failed"

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(errors=self.errors)


class MalformedJson(DomainError):
    """The body is not one JSON document in UTF-8 with distinct keys."""

    status = 400
    code = "malformed_json"
    title = "Not valid JSON"
    default_message = "The body is not valid JSON."


class Unauthorized(DomainError):
    """No usable credential."""

    status = 401
    code = "unauthorized"
    title = "Sign-in needed"
    default_message = "Invalid API key or unauthorized access"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(DomainError):
    """The role or scope lacks a permission; `required` names it."""

    status = 403
    code = "forbidden"
    title = "Not allowed"
    default_message = "This credential may not do that."


class UpgradeRequired(DomainError):
    """The tenant's plan lacks the module."""

    status = 403
    code = "upgrade_required"
    title = "Upgrade required"
    notice_type = "upgrade_required"
    default_message = "The tenant's plan does not include this module."


class NotFound(DomainError):
    """Unknown, or another tenant's: nobody can tell which."""

    status = 404
    code = "not_found"
    title = "Not found"
    default_message = "No such resource."


class MethodNotAllowed(DomainError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    default_message = "This path does not support that method."


class Conflict(DomainError):
    """The record's state forbids it; a precise code may replace `conflict`."""

    status = 409
    code = "conflict"
    title = "Conflict"
    notice_type = "warning"
    default_message = "The record's state does not allow this."

    def __init__(self, message: str = "", code: str = "conflict", **extra: Any) -> None:
        super().__init__(message, **extra)
        self.code = code


class Duplicate(DomainError):
    """Another record already holds a value that must be unique."""

    status = 409
    code = "duplicate"
    title = "Already exists"
    notice_type = "warning"
    default_message = "A record with these values already exists."

    def __init__(self, errors: Mapping[str, str], existing_id: int | None = None) -> None:
        extra: dict[str, Any] = {"errors": dict(errors)}
        if existing_id is not None:
            extra["existing_id"] = existing_id
        super().__init__(**extra)


class PayloadTooLarge(DomainError):
    """The body is over the limit."""

    status = 413
    code = "payload_too_large"
    title = "Too large"
    default_message = "The body is larger than this operation accepts."


class UnsupportedMediaType(DomainError):
    """The body's media type is not one the operation reads."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"
    default_message = "Send the body as application/json."


class RateLimited(DomainError):
    """A named limit was hit; `limit` names it, `retry_after` is in seconds."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    notice_type = "warning"

    def __init__(self, limit: str, retry_after: int) -> None:
        super().__init__(f"Limit reached: {limit}. Try again in {retry_after} seconds.", limit=limit)
        self.headers = {"Retry-After": str(retry_after)}


class ServiceUnavailable(DomainError):
    """A store cannot be reached, or the server is overloaded."""

    status = 503
    code = "service_unavailable"
    title = "Try again shortly"
    default_message = "The service is not available at the moment."

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.headers = {"Retry-After": "2"}


class InternalError(DomainError):
    """Our fault; tells the caller nothing but the request id."""

    default_message = "Something went wrong on our side. Quote the request id when you ask support."


ERRORS: tuple[type[DomainError], ...] = (
    ValidationFailed,
    MalformedJson,
    Unauthorized,
    Forbidden,
    UpgradeRequired,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Duplicate,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimited,
    InternalError,
    ServiceUnavailable,
)
CODES: dict[str, type[DomainError]] = {error.code: error for error in ERRORS}
"""The closed list: every code an answer may carry, each with a page in `content/errors`."""
