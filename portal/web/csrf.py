"""Forms are sent from our own pages only: the session's token, or a seal where there is no session yet."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import BadData, URLSafeTimedSerializer
from wtforms import Field, Form, ValidationError
from wtforms.csrf.core import CSRF

from portal.api.errors import is_api_request
from portal.core.clock import system_now
from portal.core.errors import DomainError, UnsupportedMediaType
from portal.core.runtime import READING_METHODS, runtime

View = TypeVar("View", bound=Callable[..., Any])
_protection = CSRFProtect()
_SEALED: set[str] = set()
_OPEN: set[str] = set()
FORMS = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data"})


class FormRefused(DomainError):
    """A form that was not sent from a page of ours, or from one shown to somebody else."""

    status = 400
    code = "validation_failed"
    title = "Please send the form again"
    default_message = (
        "The form could not be matched with a page of ours. Perhaps you signed in or out in the meantime, or cookies "
        "are blocked. Go back, reload the page and send it once more; nothing was changed."
    )


class Seal(CSRF):  # type: ignore[misc]
    """A signed token that names the form, whom it was shown to, and when. It needs no cookie."""

    def setup_form(self, form: Form) -> Any:
        self.salt = f"form:{type(form).__name__}:{form.meta.holder}"
        return super().setup_form(form)

    def generate_csrf_token(self, field: Field) -> str:
        return str(self._serializer().dumps(secrets.token_urlsafe(12)))

    def validate_csrf_token(self, form: SealedForm, field: Field) -> None:
        try:
            number, shown_at = self._serializer().loads(field.data or "", return_timestamp=True)
        except BadData:
            raise ValidationError("We could not tell that this came from our page. Please send it again.") from None
        form.number, form.shown_at = str(number), shown_at

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(str(current_app.secret_key), salt=self.salt)


class SealedForm(FlaskForm):  # type: ignore[misc]
    """A form for visitors without a session. Its view is marked `takes_sealed_form`.

    Build it with `meta={"holder": …}` where the sender's right comes from a cookie, so that a token shown to
    one is worth nothing to another. After `validate`, `number` tells one showing of the form from another.
    """

    class Meta:
        csrf_class = Seal
        holder = ""

    number: str = ""
    shown_at: dt.datetime | None = None

    @property
    def age(self) -> dt.timedelta:
        """How long ago the form was shown."""
        return system_now() - self.shown_at if self.shown_at else dt.timedelta.max


def takes_sealed_form(view: View) -> View:
    """Mark a view that checks a SealedForm itself, so that the session's token is not asked for."""
    _SEALED.add(_name_of(view))
    return view


def takes_anything(view: View) -> View:
    """Mark a view that knows no visitor and acts for none: whatever is sent to it, by any method, is taken."""
    _OPEN.add(_name_of(view))
    return view


def _name_of(view: Callable[..., Any]) -> str:
    return f"{view.__module__}.{view.__name__}"


def init_csrf(app: Flask) -> None:
    """Check every form of every page, unless its view is marked; the API takes no forms from browsers."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    _protection.init_app(app)
    app.before_request(protect_pages)


def protect_pages() -> None:
    """Raises FormRefused for a form from elsewhere or without the session's token, UnsupportedMediaType for no form."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or request.method in READING_METHODS or is_api_request() or _name_of(view) in _OPEN:
        return
    if not current_app.config["WTF_CSRF_ENABLED"]:
        return
    if request.mimetype not in FORMS:
        raise UnsupportedMediaType("This page takes what its own form sends.")
    if not comes_from_here():
        raise FormRefused
    if _name_of(view) in _SEALED:
        return
    try:
        _protection.protect()
    except CSRFError:
        raise FormRefused from None


def comes_from_here() -> bool:
    """False where the browser says that another site sent the form. Old browsers say so by Origin only."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    hosts = {request.host, urlsplit(runtime().settings.base_url).netloc}
    return origin is None or urlsplit(origin).netloc in hosts
