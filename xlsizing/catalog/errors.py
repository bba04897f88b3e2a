"""What is wrong with catalog files."""

from collections.abc import Sequence
from typing import NamedTuple

from xlsizing.core import SizingError


class Fault(NamedTuple):
    """One thing wrong with a catalog file: which file, where in it, and a sentence."""

    file: str
    path: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.path}" if self.path else self.file
        return f"{place}: {self.sentence}"


class CatalogError(SizingError):
    """Catalog files that cannot be used; `faults` lists everything wrong with them."""

    code = "CATALOG_FAULT"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
