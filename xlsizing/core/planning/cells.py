"""What cells hold, and how it reads as text."""

Value = str | int | float | bool | None


class CellError(str):
    """An error value such as #N/A, where a cell holds it as data."""

    __slots__ = ()


def words(value: Value) -> str:
    """A value as the text that it becomes beside other text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return format(value, ".15g").replace("e", "E")
    return str(value)


def trimmed(value: Value) -> str:
    """A value as text without blanks at its ends, and one between words, as TRIM gives it."""
    return " ".join(part for part in words(value).split(" ") if part)
