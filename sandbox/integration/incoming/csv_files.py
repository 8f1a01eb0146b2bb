"""Uploaded CSV files, read whatever program wrote them: encoding, separator, line ends (contract section 7)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portal.core.errors import ValidationFailed
from sandbox.reports.sheet import unguarded

LARGEST = 5 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SEPARATOR_LINE = re.compile(r'"?sep=(.|\\t)"?[,;|\t]*(?:\n|$)', re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class CsvFile:
    """A file's text from its heading on, with `\\n` at the ends of lines, and how the file was written."""

    text: str
    separator: str
    encoding: str
    line_end: str
    has_separator_line: bool

    @property
    def heading(self) -> list[str]:
        return next(read_rows(self.text, self.separator), [])


def read_file(content: bytes, parameters: Sequence[str]) -> CsvFile:
    """Read a file's form; `parameters` help to tell its separator. Raises ValidationFailed for what is no text."""
    if len(content) > LARGEST:
        raise ValidationFailed({"file": f"The file may have {LARGEST} bytes at most"})
    decoded, encoding = _decode(content)
    found = _LINE_END.search(decoded)
    text = _LINE_END.sub("\n", decoded)
    named = _SEPARATOR_LINE.match(text)
    if named:
        separator = named[1].replace("\\t", "\t")
        if separator not in SEPARATORS:
            words = "must name one of , ; | or a tab"
            raise ValidationFailed({"file": f"The first line names {separator} as the separator; it {words}"})
        text = text[named.end() :]
    else:
        separator = _find_separator(text, parameters)
    return CsvFile(text, separator, encoding, found[0] if found else "\r\n", bool(named))


def read_rows(text: str, separator: str) -> Iterator[list[str]]:
    """The heading and the rows, guards against formulas taken off. Raises csv.Error."""
    return _rows_of(io.StringIO(text, newline="\n"), separator)


def take_rows(text: str, separator: str, position: int, most: int) -> tuple[list[list[str]], int, bool]:
    """The next rows that hold a record, from a position of the text on; where they end; whether more may follow.

    Position 0 begins below the heading.
    """
    stream = io.StringIO(text, newline="\n")
    next(_rows_of(stream, separator))
    stream.seek(max(position, stream.tell()))
    rows: list[list[str]] = []
    for row in _rows_of(stream, separator):
        if not is_blank(row):
            rows.append(row)
        if len(rows) == most:
            return rows, stream.tell(), True
    return rows, stream.tell(), False


def is_blank(row: Sequence[str]) -> bool:
    """True for a line that holds no record."""
    return not any(cell.strip() for cell in row)


def count_rows(file: CsvFile) -> int:
    """How many records there are below the heading. Raises ValidationFailed for what is no table of records."""
    stream = io.StringIO(file.text, newline="\n")
    reader = csv.reader(iter(stream.readline, ""), delimiter=file.separator, strict=True)
    above = 1 if file.has_separator_line else 0
    try:
        heading = next(reader, [])
        _refuse_heading(heading)
        total = 0
        for row in reader:
            _refuse_unnamed(row, heading, reader.line_num + above)
            total += not is_blank(row)
    except csv.Error as fault:
        raise ValidationFailed({"file": f"Line {reader.line_num + above} is not CSV: {fault}"}) from None
    if not 1 <= total <= MOST_ROWS:
        raise ValidationFailed({"file": f"The file must have 1 to {MOST_ROWS} rows below its heading"})
    return total


def restore_line_ends(table: str, file: CsvFile) -> str:
    """A table that `write_csv` wrote, with the line ends of the file and, if it had one, its line `sep=`."""
    first = f"sep={file.separator}\r\n" if file.has_separator_line else ""
    return (first + table).replace("\r\n", file.line_end)


def _rows_of(stream: io.StringIO, separator: str) -> Iterator[list[str]]:
    for row in csv.reader(iter(stream.readline, ""), delimiter=separator, strict=True):
        yield [unguarded(cell) for cell in row]


def _decode(content: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding. What is not UTF-8 is Windows-1252, where that has every byte."""
    if content.startswith(_WORKBOOKS):
        raise ValidationFailed({"file": "The file is a workbook; save it as CSV"})
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _guess_encoding(content)
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ValidationFailed({"file": f"The file is not {ENCODINGS[encoding]}; save it as CSV UTF-8"}) from None
    if "\x00" in text:
        raise ValidationFailed({"file": "The file is not a text"})
    return text, encoding


def _guess_encoding(content: bytes) -> str:
    if len(content) > 1 and not len(content) % 2 and (content[0] == 0) != (content[1] == 0):
        return "utf-16-be" if content[0] == 0 else "utf-16-le"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _find_separator(text: str, parameters: Sequence[str]) -> str:
    """The separator by which the heading names most parameters, then most columns; quoted ones do not count."""
    known = {name.casefold() for name in parameters}

    def fit(separator: str) -> tuple[int, int]:
        try:
            heading = next(read_rows(text, separator), [])
        except csv.Error:
            return -1, -1
        return len({name.strip().casefold() for name in heading} & known), len(heading)

    return max(SEPARATORS, key=fit)


def _refuse_heading(heading: Sequence[str]) -> None:
    named = [name for name in heading if name.strip()]
    if not len(named) >= 1 or len(heading) > MOST_COLUMNS:
        words = f"The first line must name the columns, {MOST_COLUMNS} at most"
        raise ValidationFailed({"file": words})


def _refuse_unnamed(row: Sequence[str], heading: Sequence[str], line: int) -> None:
    """Raises ValidationFailed for a value in a column that has no name: it would be lost."""
    for number, cell in enumerate(row, 1):
        if cell.strip() and (number > len(heading) or not heading[number - 1].strip()):
            raise ValidationFailed({"file": f"Line {line} has a value in column {number}, which has no heading"})
