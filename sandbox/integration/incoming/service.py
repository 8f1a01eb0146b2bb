"""Mappings: found, listed, saved as drafts, published, made draft again. A published version stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm.attributes import flag_modified

from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.integration.incoming.definition import Definition, read_definition, stored
from sandbox.integration.incoming.faults import find_faults
from sandbox.integration.incoming.models import (
    OPEN,
    IncomingImport,
    IncomingMapping,
    IncomingMessage,
    IncomingVersion,
)
from sandbox.integration.incoming.receiving import Plan
from sandbox.integration.incoming.targets import TARGETS

MOST_MAPPINGS = 100
MOST_VERSIONS = 200


@dataclass(frozen=True)
class Chosen:
    """A mapping and the version of it that is at hand."""

    mapping: IncomingMapping
    version: IncomingVersion

    @cached_property
    def plan(self) -> Plan:
        """What records are written by."""
        return Plan(TARGETS[self.mapping.target], read_definition(self.version.definition))


def list_mappings(session: TenantSession) -> list[IncomingMapping]:
    """Every mapping of the tenant, in the order of their making."""
    return list(session.scalars(select(IncomingMapping).order_by(IncomingMapping.id)))


def find_live(session: TenantSession, slug: str) -> Chosen:
    """The mapping of this slug, or the default one for an empty slug, with its live version. Raises NotFound."""
    wanted = IncomingMapping.slug == slug if slug else IncomingMapping.is_default.is_(True)
    if "\x00" in slug:
        raise NotFound("No such mapping.")
    mapping = session.scalar(select(IncomingMapping).where(wanted))
    if mapping is None:
        raise NotFound("No such mapping." if slug else "There is no default mapping; name one in `mapping`.")
    version = find_version(session, mapping, "live")
    if version is None:
        raise NotFound(f"The mapping {mapping.slug} has not been published yet.")
    return Chosen(mapping, version)


def find_version(session: TenantSession, mapping: IncomingMapping, status: str) -> IncomingVersion | None:
    """The mapping's `draft` or `live` version, if there is one."""
    wanted = (IncomingVersion.mapping_id == mapping.id, IncomingVersion.status == status)
    return session.scalar(select(IncomingVersion).where(*wanted))


def find_numbered(session: TenantSession, mapping: IncomingMapping, number: int) -> IncomingVersion:
    """The mapping's version of this number. Raises NotFound."""
    wanted = (IncomingVersion.mapping_id == mapping.id, IncomingVersion.number == number)
    version = session.scalar(select(IncomingVersion).where(*wanted))
    if version is None:
        raise NotFound("The mapping has no such version.")
    return version


def list_versions(session: TenantSession, mapping: IncomingMapping) -> list[IncomingVersion]:
    """Every version of a mapping, the newest first."""
    own = select(IncomingVersion).where(IncomingVersion.mapping_id == mapping.id)
    return list(session.scalars(own.order_by(IncomingVersion.number.desc())))


def choose(session: TenantSession, mapping: IncomingMapping, status: str) -> Chosen:
    """The mapping with its `draft` or `live` version. Raises Conflict where it has none."""
    version = find_version(session, mapping, status)
    if version is None:
        raise Conflict(f"This mapping has no {status} version.", remedy=Remedy("state", None, status))
    return Chosen(mapping, version)


def check_definition(session: TenantSession, target: str, definition: Definition) -> None:
    """Raises ValidationFailed with everything that cannot work, by its place in the definition."""
    faults = find_faults(session, TARGETS[target], definition)
    if faults:
        raise ValidationFailed(faults)


def add_mapping(session: TenantSession, fields: dict[str, Any], definition: Definition) -> IncomingMapping:
    """Add a mapping with a draft. `fields` are slug, name, target and is_default, the slug known to be free.

    Raises ValidationFailed, and Conflict where the tenant has as many as it may.
    """
    check_definition(session, fields["target"], definition)
    if len(list_mappings(session)) >= MOST_MAPPINGS:
        remedy = Remedy("state", f"{MOST_MAPPINGS} mappings", f"fewer than {MOST_MAPPINGS}")
        raise Conflict(f"A tenant has {MOST_MAPPINGS} mappings at most. Delete one first.", remedy=remedy)
    if fields["is_default"]:
        _clear_default(session)
    mapping = IncomingMapping(**fields)
    session.add(mapping)
    session.flush()
    _save(session, mapping, stored(definition))
    return mapping


def save_draft(
    session: TenantSession, mapping: IncomingMapping, fields: dict[str, Any], definition: Definition
) -> IncomingVersion:
    """Rename the mapping, and make the definition its draft; the live version goes on as it is.

    What came in for it stands in its log and its files under its slug, and is renamed with it. Raises
    ValidationFailed, also for another target once a version was published.
    """
    if fields["target"] != mapping.target and _was_published(session, mapping):
        raise ValidationFailed({"target": "Target cannot change once a version was published; make another mapping"})
    check_definition(session, fields["target"], definition)
    if fields["is_default"] and not mapping.is_default:
        _clear_default(session)
    earlier = mapping.slug
    for name, value in fields.items():
        setattr(mapping, name, value)
    if mapping.slug != earlier:
        _rename_log(session, earlier, mapping.slug)
    flag_modified(mapping, "updated_at")
    session.flush()
    return _save(session, mapping, stored(definition))


def publish(session: TenantSession, mapping: IncomingMapping) -> IncomingVersion:
    """Make the draft live and retire what was live. Raises Conflict without a draft, ValidationFailed where it can no
    longer work, as when a master it names is gone.
    """
    draft = choose(session, mapping, "draft")
    check_definition(session, mapping.target, draft.plan.definition)
    live = find_version(session, mapping, "live")
    if live is not None:
        live.status = "retired"
        session.flush()
    draft.version.status, draft.version.published_at = "live", session.clock.now()
    flag_modified(mapping, "updated_at")
    session.flush()
    return draft.version


def make_draft_of(session: TenantSession, mapping: IncomingMapping, number: int) -> IncomingVersion:
    """Make what an older version, or the live one, says the draft. Raises NotFound, ValidationFailed."""
    definition = read_definition(find_numbered(session, mapping, number).definition)
    check_definition(session, mapping.target, definition)
    flag_modified(mapping, "updated_at")
    return _save(session, mapping, stored(definition))


def discard_draft(session: TenantSession, mapping: IncomingMapping) -> None:
    """Throw the draft away. Raises Conflict where there is none, or nothing else of the mapping."""
    draft = choose(session, mapping, "draft").version
    if not _was_published(session, mapping):
        raise Conflict("The mapping is nothing but its draft. Delete the mapping.", remedy=Remedy("state", "draft"))
    session.delete(draft)
    flag_modified(mapping, "updated_at")
    session.flush()


def remove_mapping(session: TenantSession, mapping: IncomingMapping) -> None:
    """Delete a mapping with every version. The log and the files it received stay, under its slug."""
    remove_versions(session, mapping)
    session.delete(mapping)
    session.flush()


def remove_versions(session: TenantSession, mapping: IncomingMapping) -> None:
    """Make a mapping ready to be deleted. Files that are open end: nobody could stop them any more."""
    for version in list_versions(session, mapping):
        session.delete(version)
    unfinished = (IncomingImport.mapping == mapping.slug, IncomingImport.status.in_(OPEN))
    ended = {"status": "stopped", "reason": "The mapping was deleted", "finished_at": session.clock.now()}
    session.execute(update(IncomingImport).where(*unfinished).values(ended))
    session.flush()


def _rename_log(session: TenantSession, earlier: str, slug: str) -> None:
    session.execute(update(IncomingMessage).where(IncomingMessage.mapping == earlier).values(mapping=slug))
    session.execute(update(IncomingImport).where(IncomingImport.mapping == earlier).values(mapping=slug))


def _save(session: TenantSession, mapping: IncomingMapping, document: dict[str, Any]) -> IncomingVersion:
    """Put the document into the draft; where there is none, begin one under the next number."""
    draft = find_version(session, mapping, "draft")
    now = session.clock.now()
    if draft is None:
        versions = list_versions(session, mapping)
        if len(versions) >= MOST_VERSIONS:
            raise Conflict(f"A mapping has {MOST_VERSIONS} versions at most.", remedy=Remedy("state", MOST_VERSIONS))
        number = versions[0].number + 1 if versions else 1
        draft = IncomingVersion(mapping_id=mapping.id, number=number, status="draft", published_at=None)
        session.add(draft)
    draft.definition, draft.author, draft.created_at = document, session.author[:80], now
    session.flush()
    return draft


def _was_published(session: TenantSession, mapping: IncomingMapping) -> bool:
    return any(version.status != "draft" for version in list_versions(session, mapping))


def _clear_default(session: TenantSession) -> None:
    others = update(IncomingMapping).where(IncomingMapping.is_default.is_(True))
    session.execute(others.values(is_default=False), execution_options={"synchronize_session": "fetch"})
