"""What a file would feed, told before it is written: its columns, what is passed over, its first records as read."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.session import TenantSession
from sandbox.integration.incoming.columns import Column, list_parameters, list_required, match_columns
from sandbox.integration.incoming.csv_files import ENCODINGS, SEPARATORS, take_rows
from sandbox.integration.incoming.definition import read_definition
from sandbox.integration.incoming.importing import file_of, record_of
from sandbox.integration.incoming.models import IncomingImport
from sandbox.integration.incoming.receiving import Plan
from sandbox.integration.incoming.targets import TARGETS
from sandbox.integration.incoming.trials import Trial, preview

RECORDS = 3


@dataclass(frozen=True)
class Preview:
    """A file before it is written. `lacking` are required parameters without a column, `unfed` other such ones."""

    encoding: str
    separator: str
    feeding: list[Column]
    passed_over: list[Column]
    lacking: list[str]
    unfed: list[str]
    trial: Trial


def preview_file(session: TenantSession, found: IncomingImport) -> Preview:
    """What the file would feed, by the version of the mapping that it was uploaded for."""
    definition, file = read_definition(found.definition), file_of(session, found)
    columns = match_columns(file.heading, definition)
    rows, _, _ = take_rows(file.text, file.separator, 0, RECORDS)
    fed = {column.parameter for column in columns}
    required = list_required(definition)
    return Preview(
        encoding=ENCODINGS[file.encoding],
        separator=SEPARATORS[file.separator],
        feeding=[column for column in columns if column.parameter],
        passed_over=[column for column in columns if not column.parameter],
        lacking=[name for name in required if name not in fed],
        unfed=[name for name in list_parameters(definition) if name not in fed and name not in required],
        trial=preview(session, Plan(TARGETS[found.target], definition), [record_of(row, columns) for row in rows]),
    )
