"""A connection to the mail server: encrypted, verified, and never with credentials in clear."""

from __future__ import annotations

import ipaddress
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from portal.core.connections import trusted_roots

TIMEOUT = 20
"""Seconds for each step of the conversation with the mail server."""
PORTS = {"smtp": 587, "smtps": 465}


class MailNotSecure(smtplib.SMTPException):
    """The mail server offers no encryption, and nothing may be sent to it in clear."""


@dataclass(frozen=True)
class SmtpServer:
    """What `SMTP_URL` names. `is_plain` allows mail in clear, which needs no credentials to lose."""

    host: str
    port: int
    is_wrapped: bool
    user: str
    password: str
    is_plain: bool

    @contextmanager
    def connect(self) -> Iterator[smtplib.SMTP]:
        """Yield a connection that is ready for a message. Raises OSError or SMTPException, MailNotSecure among them."""
        with self._open() as connection:
            connection.ehlo()
            if not self.is_wrapped:
                self._encrypt(connection)
            if self.user:
                connection.login(self.user, self.password)
            yield connection

    def _open(self) -> smtplib.SMTP:
        if self.is_wrapped:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=trusted_roots())
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)

    def _encrypt(self, connection: smtplib.SMTP) -> None:
        if connection.has_extn("starttls"):
            connection.starttls(context=trusted_roots())
            connection.ehlo()
        elif not self.is_plain:
            raise MailNotSecure(f"{self.host} offers no STARTTLS, and mail to it must not be sent in clear")


def read_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:587`, `smtps://…`, or `smtp://relay:25?tls=none` for a relay without TLS.

    Raises ValueError for anything else, and for credentials that would be sent in clear.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must look like smtp://user:password@host:587")
    is_plain = _may_be_plain(parts)
    port = parts.port or PORTS[parts.scheme]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return SmtpServer(parts.hostname, port, parts.scheme == "smtps", user, password, is_plain)


def _may_be_plain(parts: SplitResult) -> bool:
    """Whether a server without TLS is acceptable: on loopback, or if `?tls=none` says so; never with credentials."""
    options = parse_qs(parts.query, keep_blank_values=True)
    if options not in ({}, {"tls": ["none"]}):
        raise ValueError("takes no option but ?tls=none")
    if options and parts.username:
        raise ValueError("must not send credentials without TLS: remove them, or ?tls=none")
    if options and parts.scheme == "smtps":
        raise ValueError("must be smtp:// for ?tls=none")
    return not parts.username and (bool(options) or _is_loopback(parts.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
