"""The parts of a paper: lines and payments that are stored with it and shown on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from portal.api.schema import ApiModel
from portal.core.prepared import Lookup
from portal.core.session import TenantSession

Row = dict[str, Any]


class Parts:
    """Reads the parts of papers. `paper` is the column that names a part's paper, `view` says what is shown of it."""

    def __init__(self, paper: InstrumentedAttribute[int], view: type[ApiModel]) -> None:
        columns = paper.class_.__table__.c
        shown = select(columns[paper.key], *(columns[name] for name in view.model_fields))
        self._names = tuple(view.model_fields)
        self._lookup = Lookup(shown.order_by(columns.id), columns[paper.key])

    def of(self, session: TenantSession, papers: Iterable[int]) -> dict[int, list[Row]]:
        """The parts of each of these papers, in their order; one query for the page."""
        found: dict[int, list[Row]] = defaultdict(list)
        with session.fetching() as fetch:
            for paper, *values in self._lookup.rows(fetch, papers):
                found[paper].append(dict(zip(self._names, values, strict=True)))
        return found
