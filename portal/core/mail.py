"""Mail: queued in the transaction that causes it, sent by the worker, written to the log without SMTP."""

from __future__ import annotations

import logging
import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from portal.core.jobs import Task, enqueue, handles
from portal.core.session import TenantSession

log = logging.getLogger("slipway.mail")


class Mailer:
    """Sends messages by `smtp_url`, or logs them where it is empty."""

    def __init__(self, smtp_url: str, sender: str) -> None:
        self.smtp_url = smtp_url
        self.sender = sender

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one message. Raises ValueError for a line break in a header, OSError or SMTPException on failure."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message.set_content(text)
        if not self.smtp_url:
            log.info("mail to %s: %s\n%s", to, subject, text)
            return
        parts = urlsplit(self.smtp_url)
        connect = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
        with connect(parts.hostname or "", parts.port or 0, timeout=20) as server:
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)


_mailer = Mailer("", "")


def use_mailer(mailer: Mailer) -> None:
    """Set this process's mailer; done once at boot."""
    global _mailer
    _mailer = mailer


def queue_mail(session: TenantSession, to: str, subject: str, text: str) -> None:
    """Queue one message in the session's transaction. Line breaks in the subject are folded away."""
    enqueue(session, "mail.send", {"to": to, "subject": " ".join(subject.split()), "text": text})


@handles("mail.send", needs_tenant=False, waits=True)
def _send_queued(task: Task) -> None:
    _mailer.send(task.payload["to"], task.payload["subject"], task.payload["text"])
