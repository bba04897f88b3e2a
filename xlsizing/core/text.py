"""Texts that other people wrote, as our own outputs show them."""

LONGEST_SHOWN = 80
"""Characters of a value that a sentence shows."""


def printable(text: str) -> str:
    r"""The text on one line, with nothing in it that a terminal would obey, or would not show.

    Control characters, line breaks, marks that turn the direction of writing, joiners and halves of
    characters stand as the escapes that Python writes, such as \x1b and \u202e. Spaces
    of every width stay.
    """
    if text.isprintable():
        return text
    from unicodedata import category  # few texts ever need it

    return "".join(
        each
        if each.isprintable() or category(each) == "Zs"
        else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def cut(text: str) -> str:
    """The text, or its beginning where it is too long for a sentence."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
