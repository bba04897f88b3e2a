"""Protected sheets: formulas are locked, inputs are not, and there is no password."""

from collections.abc import Iterator

from tests.book.rules import MAIN, Book, Sheet, area, rule

PASSWORDS = frozenset(
    {
        *("password", "hashValue", "saltValue", "spinCount", "algorithmName"),
        *("workbookPassword", "workbookHashValue", "revisionsPassword", "revisionsHashValue"),
        "reservationPassword",
    }
)


@rule
def passwords(book: Book) -> Iterator[str]:
    """Nothing needs a password: protection is there against slips."""
    for part, root in book.roots.items():
        for element in root.iter(
            f"{MAIN}sheetProtection",
            f"{MAIN}workbookProtection",
            f"{MAIN}protectedRange",
            f"{MAIN}fileSharing",
        ):
            if asked := sorted(PASSWORDS & {str(name) for name in element.attrib}):
                yield f"{part} has a password: {', '.join(asked)}."


@rule
def locked_formulas(book: Book) -> Iterator[str]:
    """On a protected sheet no formula can be typed over."""
    locked = _locked(book)
    for sheet in filter(is_protected, book.sheets):
        for cell in sheet.cells:
            if cell.find(f"{MAIN}f") is not None and not locked[int(cell.get("s") or 0)]:
                yield f"{sheet.title}!{cell.get('r')} has a formula that is not locked."


@rule
def open_inputs(book: Book) -> Iterator[str]:
    """On a protected sheet every input can be typed."""
    locked = _locked(book)
    for sheet in filter(is_protected, book.sheets):
        looks = {cell.get("r"): int(cell.get("s") or 0) for cell in sheet.cells}
        for each in book.names:
            title, _, address = each.text.replace("$", "").rpartition("!")
            if not each.name.startswith("Input_") or title.strip("'") != sheet.title:
                continue
            if area(address) and locked[looks.get(address, 0)]:
                yield f"{each.name} in {sheet.title}!{address} is locked."


def is_protected(sheet: Sheet) -> bool:
    """True where a person cannot type into locked cells."""
    found = sheet.root.find(f"{MAIN}sheetProtection")
    return found is not None and found.get("sheet") in ("1", "true")


def _locked(book: Book) -> list[bool]:
    """For each style of a cell, whether it locks the cell, as it does unless it says otherwise."""
    looks = book.roots["xl/styles.xml"].iterfind(f"{MAIN}cellXfs/{MAIN}xf")
    found = (look.find(f"{MAIN}protection") for look in looks)
    return [each is None or each.get("locked") not in ("0", "false") for each in found]


@rule
def comments(book: Book) -> Iterator[str]:
    """Comments are on cells of their sheet, one a cell, and say something."""
    for part, root in book.roots.items():
        if root.tag != f"{MAIN}comments":
            continue
        seen = set()
        for each in root.iter(f"{MAIN}comment"):
            cell = each.get("ref")
            if area(cell) is None or cell in seen:
                yield f"{part} has a comment on {cell}, which is no cell or has one."
            seen.add(cell)
            if not "".join(text.text or "" for text in each.iter(f"{MAIN}t")).strip():
                yield f"{part} has an empty comment on {cell}."
