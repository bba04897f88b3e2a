"""Who made a sheet: what tells the report's own sheets from a person's."""

from xlsizing import __version__
from xlsizing.core import Catalogs
from xlsizing.core.message import Message

MADE_BY = ("Made by xlsizing", "Feito por xlsizing")
"""What the text in a sheet's cell of origin begins with, in each language: a sheet is known in
Lite, too, which carries no translations."""


def origin(catalogs: Catalogs) -> Message:
    """What made the report, and from which catalogs."""
    return Message(
        "Made by xlsizing {version} from the catalogs {mark} ({models} models, {servers} servers, "
        "{profiles} storage profiles). The next full report takes the place of this sheet.",
        version=__version__,
        mark=catalogs.fingerprint(),
        models=str(len(catalogs.models)),
        servers=str(len(catalogs.servers)),
        profiles=str(len(catalogs.profiles)),
    )
