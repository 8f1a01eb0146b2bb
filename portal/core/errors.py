"""The one family of errors. Services raise them; the edge turns each into an answer (contract section 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from portal.core.remedies import Remedy, say_when

PROBLEM = "slipway.problem"
"""Key of the WSGI environ: the error to respond with if the server could not receive the request."""


class DomainError(Exception):
    """A refusal with a code of the closed list.

    `status` is the HTTP status, `code` the documented code, `title` a short heading for a notice,
    `remedy` what would change the answer, `extra` further members of the envelope, `headers` further response headers,
    `next_step` a label and a path that a page offers first.
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: ClassVar[str] = "Something went wrong"
    notice_type: ClassVar[str] = "failure"
    default_message: ClassVar[str] = "The request could not be completed."
    remedy: Remedy | None = None
    next_step: ClassVar[tuple[str, str] | None] = None

    def __init__(self, message: str = "", *, remedy: Remedy | None = None, **extra: Any) -> None:
        self.message = message or self.default_message
        self.remedy = remedy or self.remedy
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
    remedy = Remedy("state")


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
        super().__init__(remedy=Remedy("field", list(errors), "a value that no other record holds"), **extra)


class QuoteAlreadyConverted(Conflict):
    """The quote has become an invoice; `invoice_id` names it."""

    code = "quote_already_converted"
    title = "Already converted"
    default_message = "This quote was converted already. invoice_id names the invoice that was made of it."
    remedy = Remedy("state", "Converted", ["Open", "Accepted"])


class LeadAlreadyConverted(Conflict):
    """The lead has become a customer; `customer_id` names it."""

    code = "lead_already_converted"
    title = "Already converted"
    default_message = "This lead was converted already. customer_id names the customer that was made of it."
    remedy = Remedy("state", "Converted", ["New", "Contacted", "Qualified", "Lost"])


class LastAdministrator(Conflict):
    """Without this user the company would have no administrator."""

    code = "last_administrator"
    title = "Last administrator"
    default_message = "This is the last administrator. Make somebody else one first, then repeat."
    remedy = Remedy("state", "one administrator", "two administrators")


class InvoiceApproved(Conflict):
    """The invoice is approved; what is approved stays as it is."""

    code = "invoice_approved"
    title = "Invoice approved"
    remedy = Remedy("state", "approved")


class InvoicePaid(Conflict):
    """Money was paid on the invoice."""

    code = "invoice_paid"
    title = "Money was paid"


class InvoiceVoid(Conflict):
    """The invoice is void, and void is final."""

    code = "invoice_void"
    title = "Invoice void"
    remedy = Remedy("state", "Void")


class TransactionLocked(Conflict):
    """The transaction belongs to a payment or a receipt."""

    code = "transaction_locked"
    title = "Part of another record"


class InsufficientStock(Conflict):
    """There is less in stock than was asked for; `shortages` names each product, what was asked, what there is."""

    code = "insufficient_stock"
    title = "Not enough in stock"

    def __init__(self, shortages: Sequence[Mapping[str, Any]]) -> None:
        parts = (f"{row['name']} ({row['asked']} asked, {row['available']} available)" for row in shortages)
        super().__init__(f"Not enough in stock: {', '.join(parts)}.", shortages=list(shortages))


class IdempotencyInProgress(Conflict):
    """The first request with this idempotency key is still running."""

    code = "idempotency_in_progress"
    title = "Still running"
    default_message = "The first request with this idempotency key is still running. Ask again shortly."
    remedy = Remedy("state", "running", "finished")

    def __init__(self) -> None:
        super().__init__()
        self.headers = {"Retry-After": "1"}


class PreconditionFailed(DomainError):
    """The record is no longer the one that `If-Match` names; `current` is its entity tag now."""

    status = 412
    code = "precondition_failed"
    title = "Changed in the meantime"
    notice_type = "warning"
    default_message = "The record has changed since you read it. Read it again, then repeat with its new ETag."


class IdempotencyMismatch(DomainError):
    """The idempotency key was used for another request."""

    status = 422
    code = "idempotency_mismatch"
    title = "Key used before"
    default_message = "This idempotency key belongs to another request. Send that request again, or use a new key."
    remedy = Remedy("body", "another than the first request's", "the first request's, or a new key")


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
    """The limit named `limit` was hit: `count` calls until `reset_at` (epoch seconds), `retry_after` seconds away."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    notice_type = "warning"

    def __init__(self, limit: str, retry_after: int, *, count: int | None = None, reset_at: int | None = None) -> None:
        again_at = None if reset_at is None else dt.datetime.fromtimestamp(reset_at, dt.UTC)
        super().__init__(
            f"Limit reached: {limit}. Try again {say_when(retry_after, again_at)}.",
            remedy=Remedy("limit", count, again_at),
            limit=limit,
            retry_after=retry_after,
        )
        self.headers = {"Retry-After": str(retry_after)}

    def offer(self, other_way: str) -> None:
        """Add another way to proceed to the message, once."""
        if other_way not in self.message:
            self.message = f"{self.message} {other_way}"


class ServiceUnavailable(DomainError):
    """A store cannot be reached, or the server is overloaded."""

    status = 503
    code = "service_unavailable"
    title = "Try again shortly"
    default_message = "The service is not available at the moment."

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.headers = {"Retry-After": "2"}


class RequestTimeout(ServiceUnavailable):
    """The request's body did not arrive in time. Nothing of it was carried out."""

    status = 408
    title = "Too slow"
    default_message = "The request did not arrive in time."


class InternalError(DomainError):
    """Our fault; tells the caller nothing but the request id."""

    default_message = "Something went wrong on our side. Quote the request id when you ask support."


ERRORS: tuple[type[DomainError], ...] = (
    *(ValidationFailed, MalformedJson, Unauthorized, Forbidden, UpgradeRequired, NotFound, MethodNotAllowed),
    *(Conflict, Duplicate, InsufficientStock, QuoteAlreadyConverted, LeadAlreadyConverted, LastAdministrator),
    *(InvoiceApproved, InvoicePaid, InvoiceVoid, TransactionLocked, IdempotencyInProgress, PreconditionFailed),
    *(PayloadTooLarge, UnsupportedMediaType, IdempotencyMismatch, RateLimited),
    *(InternalError, ServiceUnavailable),
)
CODES: dict[str, type[DomainError]] = {error.code: error for error in ERRORS}
"""The closed list: every code an answer may carry, each with a page in `content/errors`."""
