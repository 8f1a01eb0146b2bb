"""Mail reaches a real mail server, encrypted or not at all, and is never lost silently (attacks 10, 17)."""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol
from aiosmtpd.smtp import AuthResult, Envelope, Session
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal.core import jobs, mail
from portal.core.clock import system_now
from portal.core.config import ConfigurationError, load_settings
from portal.core.database import Database
from portal.core.jobs import Job, run_due_jobs
from portal.core.mail import Mailer, page_url, queue_mail, use_mailer
from portal.core.smtp import MailNotSecure, read_smtp_url
from tests.portal.certificates import Authority
from tests.portal.mails import forget_notices, let_pass, mails_to
from tests.portal.people import new_email

SECRET = "p%40ss%3Aword"


@dataclass
class Postman:
    """A mail server's handler: keeps what arrived, whether it came encrypted, and the credentials it was given."""

    arrived: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    credentials: list[tuple[bytes, bytes, bool]] = field(default_factory=list)

    async def handle_DATA(self, server: Protocol, session: Session, envelope: Envelope) -> str:
        found = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        self.arrived.append(found)  # type: ignore[arg-type]
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, server: Protocol, session: Session, envelope: Envelope, mechanism: str, data: Any) -> Any:
        self.credentials.append((data.login, data.password, session.ssl is not None))
        return AuthResult(success=True)


@dataclass
class MailServer:
    postman: Postman
    port: int

    def url(self, scheme: str = "smtp", *, user: str = "", host: str = "localhost", query: str = "") -> str:
        return f"{scheme}://{user + '@' if user else ''}{host}:{self.port}{query}"


MailServerMaker = Callable[..., MailServer]


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, of an authority this machine trusts for the test."""
    context = Authority(tmp_path).server("localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return context


@pytest.fixture
def mail_server() -> Iterator[MailServerMaker]:
    """Start mail servers on loopback; `wrapped` for TLS from the first byte, `tls_context` for STARTTLS."""
    running: list[Controller] = []

    def start(wrapped: ssl.SSLContext | None = None, **details: Any) -> MailServer:
        postman = Postman()
        details = {"authenticator": postman.authenticate, "auth_require_tls": False} | details
        port = free_port()
        controller = Controller(postman, hostname="127.0.0.1", port=port, ssl_context=wrapped, **details)
        controller.start()
        running.append(controller)
        return MailServer(postman, port)

    yield start
    for controller in running:
        controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def mailer(url: str) -> Mailer:
    return Mailer(url, "Slipway <no-reply@slipway.example>", "desk@slipway.example", "https://portal.example")


@pytest.mark.parametrize("demands", [False, True])
def test_mail_and_credentials_go_over_tls_to_a_server_that_offers_or_demands_it(
    mail_server: MailServerMaker, certificate: ssl.SSLContext, demands: bool
) -> None:
    server = mail_server(tls_context=certificate, require_starttls=demands)
    mailer(server.url(user=f"desk:{SECRET}")).send("jane@example.com", "Hello", "Grüße", message_id="msg_1")
    (arrived,) = server.postman.arrived
    assert server.postman.encrypted == [True]
    assert server.postman.credentials == [(b"desk", b"p@ss:word", True)]
    assert arrived.get_content() == "Grüße\r\n"
    assert (arrived["To"], arrived["Reply-To"]) == ("jane@example.com", "desk@slipway.example")
    assert arrived["Message-ID"] == "<msg_1@portal.example>"
    assert arrived["Date"].datetime - system_now() < dt.timedelta(days=1)


def test_mail_goes_to_a_server_that_speaks_tls_from_the_first_byte(
    mail_server: MailServerMaker, certificate: ssl.SSLContext
) -> None:
    server = mail_server(wrapped=certificate)
    mailer(server.url("smtps", user=f"desk:{SECRET}")).send("jane@example.com", "Hello", "Text")
    assert server.postman.credentials[0][:2] == (b"desk", b"p@ss:word")
    assert len(server.postman.arrived) == 1


def test_credentials_are_never_sent_in_clear(mail_server: MailServerMaker) -> None:
    server = mail_server()
    with pytest.raises(MailNotSecure):
        mailer(server.url(user=f"desk:{SECRET}")).send("jane@example.com", "Hello", "Text")
    assert (server.postman.credentials, server.postman.arrived) == ([], [])


def test_a_certificate_that_is_not_trusted_gets_neither_mail_nor_credentials(
    mail_server: MailServerMaker, tmp_path: Path
) -> None:
    context = Authority(tmp_path).server("localhost")
    for server, scheme in ((mail_server(tls_context=context), "smtp"), (mail_server(wrapped=context), "smtps")):
        with pytest.raises(ssl.SSLCertVerificationError):
            mailer(server.url(scheme, user=f"desk:{SECRET}")).send("jane@example.com", "Hello", "Text")
        assert (server.postman.credentials, server.postman.arrived) == ([], [])


def test_a_certificate_of_another_name_is_not_trusted(
    mail_server: MailServerMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mail_server(tls_context=Authority(tmp_path).server("mail.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with pytest.raises(ssl.SSLCertVerificationError):
        mailer(server.url()).send("jane@example.com", "Hello", "Text")
    assert server.postman.arrived == []


@pytest.mark.parametrize("query", ["", "?tls=none"])
def test_mail_without_credentials_may_go_in_clear_to_this_machine(mail_server: MailServerMaker, query: str) -> None:
    server = mail_server()
    mailer(server.url(query=query)).send("jane@bücher.example.com", "Hello", "Text", reply_to="joe@example.org")
    (arrived,) = server.postman.arrived
    assert (arrived["To"], arrived["Reply-To"]) == ("jane@xn--bcher-kva.example.com", "joe@example.org")


def test_mail_in_clear_leaves_this_machine_only_where_it_was_asked_for() -> None:
    assert not read_smtp_url("smtp://relay.example").is_plain
    assert not read_smtp_url("smtp://10.0.0.7:25").is_plain
    assert read_smtp_url("smtp://relay.example:25?tls=none").is_plain
    assert read_smtp_url("smtp://[::1]:25").is_plain
    assert read_smtp_url("smtp://relay.example").port == 587
    assert read_smtp_url("smtps://relay.example").port == 465


@pytest.mark.parametrize(
    "url",
    ["http://relay.example", "smtp://desk:secret@relay.example?tls=none", "smtp://relay.example?tls=off", "smtp://"],
)
def test_a_mail_server_that_cannot_be_used_is_refused_at_start(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL"):
        load_settings({"SMTP_URL": url, "INSTANCE_PATH": str(tmp_path)})


@pytest.mark.parametrize("address", ["desk", "desk@example.com\nBcc: all@example.org"])
def test_an_address_for_replies_that_is_none_is_refused_at_start(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="MAIL_REPLY_TO"):
        load_settings({"MAIL_REPLY_TO": address, "INSTANCE_PATH": str(tmp_path)})


@pytest.fixture
def use(database: Database) -> Iterator[Callable[[Mailer], None]]:
    """Replace the process's mailer, with no mail due but the test's."""
    before = mail._mailer
    with database.transaction() as session:
        session.execute(update(Job).where(Job.status == "due").values(status="done"))
    yield use_mailer
    use_mailer(before)


def find_mail(database: Database, to: str) -> Job:
    with database.transaction(write=False) as session:
        return next(job for job in session.scalars(select(Job)) if job.payload.get("to") == to)


def test_a_mail_that_fails_waits_and_arrives_once_the_server_is_back(
    database: Database, use: Callable[[Mailer], None], mail_server: MailServerMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, to = mail_server(), new_email()
    use(mailer("smtp://localhost:1"))
    with database.transaction() as session:
        queue_mail(session, to, "Hello\r\nBcc: all@example.org", "Text", reply_to="joe@example.org\r\nBcc: a@b.example")
    run_due_jobs(database)
    waiting = find_mail(database, to)
    assert (waiting.status, waiting.attempts) == ("due", 1)
    assert "Error" in (waiting.last_error or "")
    use(mailer(server.url()))
    monkeypatch.setattr(jobs, "system_now", lambda: system_now() + dt.timedelta(minutes=2))
    run_due_jobs(database)
    assert find_mail(database, to).status == "done"
    (arrived,) = server.postman.arrived
    assert arrived["Subject"] == "Hello Bcc: all@example.org"
    assert arrived["Bcc"] is None
    assert arrived["Message-ID"] == f"<{waiting.payload['message_id']}@portal.example>"


@pytest.mark.one_store
def test_a_mail_given_up_on_is_told_to_the_operator(
    database: Database,
    use: Callable[[Mailer], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    to = new_email()
    use(mailer("smtp://localhost:1"))
    with database.transaction() as session:
        queue_mail(session, to, "Hello", "Text")
    with caplog.at_level(logging.ERROR, "slipway.mail"):
        for days in range(20):
            monkeypatch.setattr(jobs, "system_now", lambda days=days: system_now() + dt.timedelta(days=days))
            run_due_jobs(database)
    assert find_mail(database, to).status == "dead"
    assert f"mail to {to} was not sent" in caplog.text
    assert sum(mail.BACKOFF, dt.timedelta()) > dt.timedelta(days=2)


@pytest.mark.parametrize(
    ("operation", "name", "path"),
    [("/api/public/leads", "name", "/staff/leads/"), ("/api/v1/support/guest", "fullName", "/staff/chats/")],
)
def test_links_in_mail_to_staff_are_absolute_and_replies_go_to_the_visitor(
    client: FlaskClient, database: Database, operation: str, name: str, path: str
) -> None:
    forget_notices(database)
    email = new_email()
    body = {name: "Jane Roe", "email": email, "message": "Hello"}
    body |= {"source": "Contact Form"} if name == "name" else {}
    assert client.post(operation, json=body).status_code == 201
    let_pass(database, 20)
    (found,) = [mail for mail in mails_to(database, "support@slipway.example") if email in mail["text"]]
    assert f"http://localhost:8000{path}" in found["text"]
    assert found["reply_to"] == email


@pytest.mark.one_store
def test_a_page_is_linked_at_the_address_visitors_use(database: Database, use: Callable[[Mailer], None]) -> None:
    use(mailer("smtp://localhost:1"))
    assert page_url("/staff") == "https://portal.example/staff"


def test_a_server_that_refuses_the_recipient_is_an_error(mail_server: MailServerMaker) -> None:
    server = mail_server()
    server.postman.handle_RCPT = refuse  # type: ignore[attr-defined]
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mailer(server.url()).send("nobody@example.com", "Hello", "Text")


async def refuse(*_: Any) -> str:
    return "550 No such user here"
