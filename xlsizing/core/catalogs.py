"""The catalogs as one value, and finding entries in them by name.

Names match without regard to case and surrounding blanks; an entry may have aliases.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

from xlsizing.core.entries import Entry, Model, Server, StorageProfile
from xlsizing.core.errors import UnknownNameError
from xlsizing.core.message import Message

AnyEntry = TypeVar("AnyEntry", Model, Server, StorageProfile)

NEAREST_SHOWN = 3
"""Names that an error about an unknown one suggests."""


class Catalogs(NamedTuple):
    """Everything that can be sized: models, servers and storage profiles."""

    models: tuple[Model, ...]
    servers: tuple[Server, ...]
    profiles: tuple[StorageProfile, ...]

    def model(self, name: object) -> Model:
        """The model that bears `name`; raises UnknownNameError where there is none."""
        return find(Message("model"), self.models, name)

    def server(self, name: object) -> Server:
        """The server that bears `name`; raises UnknownNameError where there is none."""
        return find(Message("server"), self.servers, name)

    def profile(self, name: object) -> StorageProfile:
        """The storage profile that bears `name`; raises UnknownNameError where there is none."""
        return find(Message("storage profile"), self.profiles, name)

    def fingerprint(self) -> str:
        """12 characters that differ wherever a figure, name, source or note does."""
        from hashlib import sha256  # not at the top: `xlsizing size` must start fast

        return sha256(repr(tuple(self)).encode()).hexdigest()[:12]

    def named(self, name: str) -> list[Entry]:
        """Every entry of any kind that bears `name`; raises UnknownNameError where none does."""
        entries: tuple[Entry, ...] = (*self.models, *self.servers, *self.profiles)
        key = name_key(name)
        found = [entry for entry in entries if key in map(name_key, names(entry))]
        if not found:
            raise UnknownNameError(
                Message("entry"), name, (), partial(nearest_names, entries, name)
            )
        return found


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """What two spellings of one name have in common: no case, no stray blanks.

    Blanks are treated as Excel's TRIM treats them, so that a cell and a command agree.
    """
    return " ".join(part for part in name.split(" ") if part).lower()


def names(entry: Entry) -> Iterator[str]:
    """Every name that finds `entry`, its own first."""
    yield entry.name
    yield from entry.aliases


def find(kind: str, entries: Sequence[AnyEntry], name: object) -> AnyEntry:
    """The entry of `entries` that bears `name`.

    Raises
    ------
    UnknownNameError : no entry does; the error lists the nearest names.
    """
    if not isinstance(name, str):
        raise UnknownNameError(kind, name, [entry.name for entry in entries])
    key = name_key(name)
    for entry in entries:
        if any(name_key(each) == key for each in names(entry)):
            return entry
    known = [entry.name for entry in entries]
    raise UnknownNameError(kind, name, known, partial(nearest_names, entries, name))


def nearest_names(entries: Iterable[Entry], name: str) -> list[str]:
    """Names of the entries whose name or alias looks most like `name`, best first."""
    # difflib is only needed once something has gone wrong.
    from difflib import get_close_matches

    owners = {name_key(each): entry.name for entry in entries for each in names(entry)}
    key = name_key("".join(mark for mark in name if mark not in "*?~"))
    close = get_close_matches(key, owners, n=len(owners), cutoff=0.55)
    holding = [each for each in owners if key and key in each]
    return list(dict.fromkeys(owners[each] for each in [*close, *holding]))[:NEAREST_SHOWN]
