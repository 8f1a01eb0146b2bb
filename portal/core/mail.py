"""Mail: queued in the transaction that causes it, sent by the worker, written to the log without SMTP."""

from __future__ import annotations

import datetime as dt
import logging
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from portal.core.clock import system_now
from portal.core.ids import new_public_id
from portal.core.jobs import Task, enqueue, handles
from portal.core.session import TenantSession
from portal.core.smtp import read_smtp_url

BACKOFF = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440, 1440))
"""Pauses before each retry: a mail server may be away for a weekend."""

log = logging.getLogger("slipway.mail")


class Mailer:
    """Sends messages by `smtp_url`, or logs them if it is empty.

    `reply_to` receives replies to messages that name no address of their own. `base_url` begins the links in messages.
    """

    def __init__(self, smtp_url: str, sender: str, reply_to: str = "", base_url: str = "") -> None:
        self._server = read_smtp_url(smtp_url) if smtp_url else None
        self.sender = sender
        self.reply_to = reply_to
        self.base_url = base_url

    def send(self, to: str, subject: str, text: str, *, reply_to: str = "", message_id: str = "") -> None:
        """Send one message. Raises ValueError for a line break in a header, OSError or SMTPException on failure."""
        message = self._compose(to, subject, text, reply_to or self.reply_to, message_id)
        if self._server is None:
            log.info("mail to %s: %s\n%s", to, subject, text)
            return
        with self._server.connect() as connection:
            connection.send_message(message)

    def _compose(self, to: str, subject: str, text: str, reply_to: str, message_id: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, _ascii(to), subject
        if reply_to:
            message["Reply-To"] = _ascii(reply_to)
        message["Date"] = format_datetime(system_now())
        if message_id:
            message["Message-ID"] = f"<{message_id}@{urlsplit(self.base_url).hostname or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message


_mailer = Mailer("", "")


def use_mailer(mailer: Mailer) -> None:
    """Set this process's mailer; done once at boot."""
    global _mailer
    _mailer = mailer


def page_url(path: str) -> str:
    """Return the absolute URL of one of the portal's pages, for a link in a message. `path` begins with a slash."""
    return _mailer.base_url + path


def queue_mail(session: TenantSession, to: str, subject: str, text: str, *, reply_to: str = "") -> None:
    """Queue one message in the session's transaction. Line breaks in the subject are folded away.

    Replies go to `reply_to` if given, else to the deployment's own address. Links in `text` need `page_url`.
    """
    payload = {"to": to, "subject": " ".join(subject.split()), "text": text, "message_id": new_public_id("msg")}
    if reply_to:
        payload["reply_to"] = " ".join(reply_to.split())
    enqueue(session, "mail.send", payload)


def _report_lost(task: Task) -> None:
    log.error("mail to %s was not sent and will not be retried: %s", task.payload["to"], task.payload["subject"])


@handles("mail.send", needs_tenant=False, waits=True, on_death=_report_lost, backoff=BACKOFF)
def _send_queued(task: Task) -> None:
    given = task.payload
    more = {name: given[name] for name in ("reply_to", "message_id") if name in given}
    _mailer.send(given["to"], given["subject"], given["text"], **more)


def _ascii(address: str) -> str:
    """Return the address with its domain in ASCII, `jane@xn--bcher-kva.example`; other text as it is."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email or address
    except EmailNotValidError:
        return address
