"""Mail that is queued, and the time until it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import delete, select, update

from portal.admin.models import StaffNotice
from portal.core.database import Database
from portal.core.jobs import Job, run_due_jobs
from portal.core.ownership import table_of

OURS = ("chat.mail_unseen", "staff.mail_notices")
ACCOUNTS = ("account.mail_sign_up", "account.mail_reset", "account.mail_verify")


def forget_notices(database: Database) -> None:
    """Begin a quiet hour: no mail went to staff lately, and none is due."""
    with database.transaction() as session:
        session.connection().execute(delete(table_of(StaffNotice)))


def let_pass(database: Database, minutes: int) -> None:
    """Let so many minutes pass for chats and notices, and the worker do what is due then."""
    earlier = dt.timedelta(minutes=minutes)
    notices = table_of(StaffNotice)
    with database.transaction() as session:
        for job in session.scalars(select(Job).where(Job.status == "due", Job.kind.in_(OURS))):
            job.run_at -= earlier
        for row in session.connection().execute(select(notices).where(notices.c.mailed_at.is_not(None))):
            mine = (notices.c.tenant_id == row.tenant_id, notices.c.id == row.id)
            session.connection().execute(update(notices).where(*mine).values(mailed_at=row.mailed_at - earlier))
    work(database)


def work(database: Database, kinds: tuple[str, ...] = OURS) -> None:
    """Have every due job of these kinds done. Mail stays in the queue to be looked at."""
    set_aside = update(Job).where(Job.status == "due", Job.kind.not_in(kinds)).values(status="held")
    with database.transaction() as session:
        session.execute(set_aside)
    run_due_jobs(database, limit=1000)
    with database.transaction() as session:
        session.execute(update(Job).where(Job.status == "held").values(status="due"))


def mails_to(database: Database, address: str) -> list[dict[str, Any]]:
    """What was queued for an address, oldest first."""
    with database.transaction(write=False) as session:
        mails = [job.payload for job in session.scalars(select(Job).where(Job.kind == "mail.send").order_by(Job.id))]
    return [mail for mail in mails if mail["to"].lower() == address.lower()]
