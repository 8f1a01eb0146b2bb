"""The checklist's points and steps, and who has ticked which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import delete, select

from portal.checklist.models import Tick
from portal.core.clock import system_now
from portal.core.errors import ValidationFailed
from portal.core.session import TenantSession


@dataclass(frozen=True)
class Point:
    """Something to verify. `verify` lists how; `href` leads to the guide that explains it."""

    slug: str
    title: str
    text: str
    verify: tuple[str, ...]
    href: str
    label: str


@dataclass(frozen=True)
class Step:
    """One of the five steps, and the points settled in it. `key` is what a tick of it is kept under."""

    slug: str
    title: str
    text: str
    points: tuple[Point, ...]
    href: str

    @property
    def key(self) -> str:
        return f"step-{self.slug}"


@dataclass(frozen=True)
class Checklist:
    """What `content/checklist.yaml` says."""

    title: str
    text: str
    points: tuple[Point, ...]
    flow_title: str
    flow_text: str
    steps: tuple[Step, ...]

    @property
    def keys(self) -> frozenset[str]:
        """Everything that can be ticked."""
        return frozenset([point.slug for point in self.points] + [step.key for step in self.steps])


def load_checklist(content: Path) -> Checklist:
    """Read the checklist. Raises KeyError for a point that lacks something, or a step naming an unknown one."""
    data = yaml.safe_load((content / "checklist.yaml").read_text(encoding="utf-8"))
    points = tuple(_read_point(entry) for entry in data["points"])
    by_slug = {point.slug: point for point in points}
    flow = data["flow"]
    steps = tuple(
        Step(
            entry["slug"],
            entry["title"],
            entry["text"],
            tuple(by_slug[slug] for slug in entry["points"]),
            entry["href"],
        )
        for entry in flow["steps"]
    )
    return Checklist(data["title"], data["text"], points, flow["title"], flow["text"], steps)


def read_ticks(session: TenantSession, developer_id: int) -> set[str]:
    """What a developer has ticked."""
    return set(session.scalars(select(Tick.point).where(Tick.developer_id == developer_id)))


def save_ticks(session: TenantSession, checklist: Checklist, developer_id: int, wanted: Iterable[str]) -> None:
    """Make `wanted` the developer's ticks; what stays ticked keeps its time. Raises ValidationFailed."""
    wanted = set(wanted)
    if wanted - checklist.keys:
        raise ValidationFailed({"done": "This is not on the checklist"})
    held = read_ticks(session, developer_id)
    own = Tick.developer_id == developer_id
    session.execute(delete(Tick).where(own, Tick.point.in_(held - wanted)))
    session.add_all(Tick(developer_id=developer_id, point=point, ticked_at=system_now()) for point in wanted - held)
    session.flush()


def move_ticks(session: TenantSession, from_id: int, to_id: int) -> None:
    """Give one developer's ticks to another, who keeps their own."""
    held = read_ticks(session, to_id)
    for tick in session.scalars(select(Tick).where(Tick.developer_id == from_id)).all():
        if tick.point not in held:
            session.add(Tick(developer_id=to_id, point=tick.point, ticked_at=tick.ticked_at))
        session.delete(tick)
    session.flush()


def _read_point(entry: dict[str, Any]) -> Point:
    return Point(entry["slug"], entry["title"], entry["text"], tuple(entry["verify"]), entry["guide"], entry["label"])
