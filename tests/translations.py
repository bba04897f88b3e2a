"""The translations: what there is to say, and the files that say it in Portuguese.

    python -m tests.translations

brings workbook/translations/pt_BR.po up to date with the texts in the code, keeping what is
translated, and makes pt_BR.mo of it. What is new stands there without a translation.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.conftest import PROJECT
from xlsizing.excel import functions
from xlsizing.excel.host import FUNCTIONS

FOLDER = PROJECT / "workbook" / "translations"
SOURCE, COMPILED = FOLDER / "pt_BR.po", FOLDER / "pt_BR.mo"
KEYWORDS = {"Message": None, "one_or_many": (1, 2)}
"""The calls whose first texts are templates."""


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the code that is for people, and the file that it is in."""
    for file, _, found, _, _ in extract_from_dir(
        PROJECT / "xlsizing", [("**.py", "python")], keywords=KEYWORDS
    ):
        for text in (found,) if isinstance(found, str) else found:
            if text:
                yield text, file
    # The functions say what they give in the first sentence of their docstrings.
    for function in FUNCTIONS.values():
        yield function.summary, functions.__name__.partition(".")[2].replace(".", "/") + ".py"


def template() -> Catalog:
    """All texts, in the order of the files that they are in."""
    catalog = Catalog(project="xlsizing", charset="utf-8", fuzzy=False)
    for text, file in texts():
        catalog.add(text, locations=[(file, 0)])
    return catalog


def translations() -> Catalog:
    """What is translated."""
    with SOURCE.open("rb") as file:
        return read_po(file, locale="pt_BR")


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalog."""
    made = io.BytesIO()
    # The same on each day.
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(made, catalog)
    return made.getvalue()


def written(catalog: Catalog) -> bytes:
    """The .po file of a catalog, the same on each day."""
    made = io.BytesIO()
    write_po(made, catalog, width=96, omit_header=False, ignore_obsolete=True, include_lineno=False)
    lines = made.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if b"-Date: " not in line)


def main() -> None:
    """Bring the files up to date, and say how much is left to translate."""
    catalog = translations() if SOURCE.exists() else Catalog(locale="pt_BR", project="xlsizing")
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.fuzzy = False
    catalog.header_comment = "# Brazilian Portuguese for xlsizing."
    FOLDER.mkdir(exist_ok=True)
    SOURCE.write_bytes(written(catalog))
    COMPILED.write_bytes(compiled(translations()))
    left = [message.id for message in catalog if message.id and not message.string]
    print(f"{len(catalog)} texts, {len(left)} without a translation")
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
