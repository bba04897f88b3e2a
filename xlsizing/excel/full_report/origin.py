"""Who made a sheet: what tells the report's own sheets from a person's."""

from xlsizing import __version__
from xlsizing.core import Catalogs

MADE_BY = "Made by xlsizing"
"""What the text in a sheet's cell of origin begins with."""


def origin(catalogs: Catalogs) -> str:
    """What made the report, and from which catalogs."""
    counts = f"{len(catalogs.models)} models, {len(catalogs.servers)} servers"
    profiles = f"{len(catalogs.profiles)} storage profiles"
    return (
        f"{MADE_BY} {__version__} from the catalogs {catalogs.fingerprint()} ({counts}, "
        f"{profiles}). The next full report takes the place of this sheet."
    )
