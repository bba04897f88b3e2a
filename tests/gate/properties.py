"""What a file says of itself: nothing of a person, of a clock, or of other files."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tests.book.rules import MAIN, OFFICE, PACKAGE, TYPES, Book, bytes_rule, rule

CREATOR = "xlsizing"
PERSONAL = frozenset({"lastModifiedBy", "Manager", "Company", "HyperlinkBase"})
DATES = frozenset({"created", "modified", "lastPrinted"})
CLOCK = timedelta(days=1)
"""A date this near to now is taken from the clock, and not from a person."""

FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)

_OTHER_BOOK = re.compile(r"(?<![\w\]])\[[^\[\]]+\][\w .-]*'?!")
_RELATION = OFFICE.strip("{}")
HYPERLINK = f"{_RELATION}/hyperlink"
_PLAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_ADD_IN = "application/vnd.ms-office"
_DRAWING = "application/vnd.openxmlformats-officedocument"
PLAIN_BOOK = f"{_PLAIN}.sheet.main+xml"
MACRO_BOOK = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
TYPES_OF_ROOTS = {
    "worksheet": {f"{_PLAIN}.worksheet+xml"},
    "table": {f"{_PLAIN}.table+xml"},
    "styleSheet": {f"{_PLAIN}.styles+xml"},
    "sst": {f"{_PLAIN}.sharedStrings+xml"},
    "comments": {f"{_PLAIN}.comments+xml"},
    "workbook": {PLAIN_BOOK, MACRO_BOOK},
    "wsDr": {f"{_DRAWING}.drawing+xml"},
    "taskpanes": {f"{_ADD_IN}.webextensiontaskpanes+xml"},
    "webextension": {f"{_ADD_IN}.webextension+xml"},
    "chartSpace": {f"{_DRAWING}.drawingml.chart+xml"},
}
"""The content types that a part may have, by its root element."""


def has_macros(book: Book) -> bool:
    """True for a workbook that says it has macros, as an .xlsm does."""
    return _types(book).get("xl/workbook.xml") == MACRO_BOOK


def _types(book: Book) -> dict[str, str]:
    """The content type of each part that has one of its own."""
    return {
        (each.get("PartName") or "").lstrip("/"): each.get("ContentType") or ""
        for each in book.roots["[Content_Types].xml"].iter(f"{TYPES}Override")
    }


@rule
def types_of_parts(book: Book) -> Iterator[str]:
    """A part has the content type of what it is."""
    types = _types(book)
    for part, root in book.roots.items():
        allowed = TYPES_OF_ROOTS.get(str(root.tag).rpartition("}")[2])
        if allowed and types.get(part) not in allowed:
            yield f"{part} has the content type {types.get(part)}."


@rule
def macros(book: Book) -> Iterator[str]:
    """A workbook has macros where it says so, and only there."""
    projects = [part for part in book.parts if part.rpartition("/")[2] == "vbaProject.bin"]
    if projects and not has_macros(book):
        yield f"{projects[0]} is in a workbook that says it has no macros."
    if has_macros(book) and not projects:
        yield "The workbook says it has macros, and has none."


@rule
def other_files(book: Book) -> Iterator[str]:
    """A workbook reads no other file; it may link to web pages."""
    for part in book.parts:
        if re.match(r"xl/(externalLinks|queryTables|connections|model|customData)", part):
            yield f"{part} reads another file."
    for part, root in book.roots.items():
        for each in root.iter(f"{PACKAGE}Relationship"):
            outside, target = each.get("TargetMode") == "External", each.get("Target") or ""
            page = each.get("Type") == HYPERLINK and target.startswith(("https://", "mailto:"))
            if outside and not page:
                yield f"{part} leads out of the workbook, to {target}."
    for place, text in book.formulas:
        if _OTHER_BOOK.search(re.sub(r'"(?:[^"]|"")*"', "", text)):
            yield f"{place} reads another workbook: {text}."


@rule
def people(book: Book) -> Iterator[str]:
    """No one's name, company or folder is in the properties, the comments or the workbook."""
    for part in ("docProps/core.xml", "docProps/app.xml", "docProps/custom.xml"):
        for element in () if part not in book.roots else book.roots[part].iter():
            tag, text = str(element.tag).rpartition("}")[2], element.text or ""
            if tag in PERSONAL and text.strip():
                yield f"{part} has {tag} {text!r}."
            if tag == "creator" and not re.fullmatch(rf"{CREATOR}( [\d.]+\w*)?", text):
                yield f"{part} says that {text!r} made it."
    for part, root in book.roots.items():
        for element in root.iter("{*}absPath", "{*}author"):
            tag = str(element.tag).rpartition("}")[2]
            if tag == "absPath":
                yield f"{part} has the folder {element.get('url')}."
            if tag == "author" and (element.text or "").strip() not in ("", CREATOR):
                yield f"{part} has a comment by {element.text!r}."


@rule
def dates(book: Book) -> Iterator[str]:
    """No property is the time of building: where there are dates, they were given."""
    now = datetime.now(UTC)
    for element in book.roots["docProps/core.xml"].iter():
        if str(element.tag).rpartition("}")[2] in DATES:
            text = element.text or ""
            try:
                given = datetime.fromisoformat(text)
            except ValueError:
                yield f"A date of the workbook is {text!r}."
                continue
            if abs(now - given.replace(tzinfo=given.tzinfo or UTC)) < CLOCK:
                yield f"A date of the workbook is from the clock: {text}."


@bytes_rule
def zip_dates(content: bytes) -> Iterator[str]:
    """The parts in the zip have no date of their own."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for entry in package.infolist():
            if entry.date_time != FIRST_ZIP_DATE:
                yield f"{entry.filename} has the date {entry.date_time}."


@rule
def recomputed(book: Book) -> Iterator[str]:
    """Excel computes everything anew once it may."""
    found = book.roots["xl/workbook.xml"].find(f"{MAIN}calcPr")
    if found is None or found.get("fullCalcOnLoad") not in ("1", "true"):
        yield "The workbook does not say fullCalcOnLoad."
