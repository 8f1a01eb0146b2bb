"""Notices to staff: what waits at the desk, mailed in batches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from portal.admin.models import StaffNotice
from portal.core.bidi import isolate
from portal.core.clock import system_now
from portal.core.jobs import Task, enqueue, handles
from portal.core.mail import page_url, queue_mail
from portal.core.session import TenantSession

PAUSE = dt.timedelta(minutes=10)
"""Between two mails to one address, and before a notice that can wait is mailed."""
WORDS = 1000
LISTED = 50
KIND = "staff.mail_notices"


@dataclass(frozen=True)
class News:
    """Something at the desk: `subject` is its public id, `path` the page about it, `reply_to` the visitor's email."""

    subject: str
    title: str
    text: str
    path: str
    reply_to: str = ""


def notify_staff(session: TenantSession, address: str, news: News, *, can_wait: bool = False) -> None:
    """Tell staff by mail of something that waits at the desk. Several notices share a mail, one every ten minutes.

    With `can_wait` nothing is mailed for ten minutes, and never if `withdraw_notice` comes first. A second notice of
    the same subject adds to the first.
    """
    waiting = list(session.scalars(_unmailed(address)))
    known = next((notice for notice in waiting if notice.subject == news.subject), None)
    if known is not None:
        known.count += 1
        known.title, known.text = news.title[:200], news.text[:WORDS]
    else:
        session.add(_as_notice(address, news))
    is_expected = any(notice.created_at > system_now() - PAUSE for notice in waiting)
    if not is_expected or not can_wait:
        due = system_now() + (PAUSE if can_wait else dt.timedelta())
        enqueue(session, KIND, {"address": address}, run_at=max(due, _next_mail_at(session, address)))
    session.flush()


def withdraw_notice(session: TenantSession, subject: str) -> None:
    """Forget what was not mailed yet about a chat or an inquiry that somebody has dealt with."""
    session.execute(delete(StaffNotice).where(StaffNotice.subject == subject, StaffNotice.mailed_at.is_(None)))


@handles(KIND)
def mail_notices(task: Task) -> None:
    """Mail everything that waits for one address, unless a mail went there within PAUSE; then later."""
    session, address = task.session, str(task.payload["address"])
    notices = list(session.scalars(_unmailed(address).with_for_update()))
    if not notices:
        return
    allowed_at = _next_mail_at(session, address)
    if allowed_at > system_now():
        enqueue(session, KIND, {"address": address}, run_at=allowed_at)
        return
    queue_mail(session, address, _subject(notices), _body(notices), reply_to=_reply_to(notices))
    mailed = (StaffNotice.address == address, StaffNotice.mailed_at.is_not(None))
    session.execute(delete(StaffNotice).where(*mailed))
    ids = [notice.id for notice in notices]
    done = {"mailed_at": system_now(), "title": "", "text": "", "reply_to": ""}
    session.execute(update(StaffNotice).where(StaffNotice.id.in_(ids)).values(**done))


def _as_notice(address: str, news: News) -> StaffNotice:
    title, text = news.title[:200], news.text[:WORDS]
    return StaffNotice(
        address=address,
        subject=news.subject,
        title=title,
        text=text,
        path=news.path,
        reply_to=news.reply_to,
        count=1,
        created_at=system_now(),
    )


def _unmailed(address: str):  # type: ignore[no-untyped-def]
    mine = (StaffNotice.address == address, StaffNotice.mailed_at.is_(None))
    return select(StaffNotice).where(*mine).order_by(StaffNotice.id)


def _next_mail_at(session: TenantSession, address: str) -> dt.datetime:
    last = session.scalar(select(func.max(StaffNotice.mailed_at)).where(StaffNotice.address == address))
    return last + PAUSE if last else dt.datetime.min.replace(tzinfo=dt.UTC)


def _subject(notices: list[StaffNotice]) -> str:
    return isolate(notices[0].title) if len(notices) == 1 else f"{len(notices)} things wait at the desk"


def _reply_to(notices: list[StaffNotice]) -> str:
    return notices[0].reply_to if len(notices) == 1 else ""


def _body(notices: list[StaffNotice]) -> str:
    parts = [_paragraph(notice) for notice in notices[:LISTED]]
    if len(notices) > LISTED:
        parts.append(f"{len(notices) - LISTED} more are at the desk: {page_url('/staff')}\n")
    return "\n".join(parts)


def _paragraph(notice: StaffNotice) -> str:
    times = f" ({notice.count} messages)" if notice.count > 1 else ""
    email = f"Email: {notice.reply_to}\n" if notice.reply_to else ""
    return f"{isolate(notice.title)}{times}\n{email}{notice.text}\nOpen it at the desk: {page_url(notice.path)}\n"
