"""Building workbooks: the planning template, and the report of one sizing."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from openpyxl.packaging.core import DocumentProperties
from openpyxl.workbook import Workbook

from xlsizing import __version__
from xlsizing.blocks import Report
from xlsizing.book.about_sheet import write_about_sheet
from xlsizing.book.catalog_sheets import write_catalog_sheets
from xlsizing.book.cells import PackageNotes
from xlsizing.book.charts.sheet import write_charts_sheet
from xlsizing.book.constants_sheet import write_constants_sheet
from xlsizing.book.engine.layouts import write_layouts_sheet
from xlsizing.book.engine.scenarios import ScenarioTable
from xlsizing.book.engine.sheet import write_engine_sheet
from xlsizing.book.hosts import PLAIN_WORKBOOK, Host
from xlsizing.book.package.finishing import package
from xlsizing.book.presets import presets
from xlsizing.book.report_sheet import write_report_sheet
from xlsizing.book.scenario import Scenario, sized_scenario
from xlsizing.book.scenarios_sheet import write_scenarios_sheet
from xlsizing.book.sizing_sheet import write_sizing_sheet
from xlsizing.book.values import formula_values
from xlsizing.book.warnings_sheet import write_warnings_sheet
from xlsizing.core import Catalogs, SizingResult, UnknownNameError, size
from xlsizing.core.catalogs import AnyEntry, find
from xlsizing.core.message import Message
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.limits import require_countable
from xlsizing.core.planning.presets import AS_ASKED
from xlsizing.language import ENGLISH, Language

TAB_COLOURS = {
    **dict.fromkeys(("Sizing", "Scenarios"), "E3B505"),
    **dict.fromkeys(("Report", "Charts", "Engine", "Warnings"), "0B3C5D"),
}
TAB_OF_DATA = "B8C0CC"


class Room(NamedTuple):
    """How many lines a workbook has where they follow from what it was made with."""

    servers: int = 0
    """Servers that Charts has a line for, if more than there are."""
    lines: int | None = None
    """Lines of Warnings; None for those that are taken, and spare ones."""
    printed: int | None = None
    """Lines of Warnings that are printed; None likewise."""


NO_ROOM = Room()

_EXAMPLE_MODEL, _EXAMPLE_SERVER, _EXAMPLE_STORAGE = "gpt-oss-120b", "dgx-b300", "profile_default"
_SUBJECT = Message("LLM serving capacity")
_LAUNCH = Message("Launch")
"""The scenario that Sizing opens on, and that the others are compared with."""


def template(
    catalogs: Catalogs,
    *,
    made_on: date | None = None,
    host: Host = PLAIN_WORKBOOK,
    language: Language = ENGLISH,
) -> bytes:
    """The planning workbook with all of `catalogs`, as the bytes of a workbook file.

    It opens on an example, so that a first look shows what an answer looks like.

    Parameters
    ----------
    catalogs : what can be sized.
    made_on : the date that the workbook bears; None for none, so that equal catalogs give
        equal bytes on any day.
    host : what computes the functions by their names.
    language : what its texts are in.
    """
    scenarios, launch = _example_scenarios(catalogs)
    title, about = Message("GPU node sizing"), "about-template.md"
    return _workbook(title, launch, scenarios, _LAUNCH, catalogs, about, made_on, language, host)


def report(
    result: SizingResult,
    catalogs: Catalogs,
    scenarios: Sequence[Scenario] = (),
    base: str = "",
    *,
    made_on: date | None = None,
    language: Language = ENGLISH,
    content: Report | None = None,
) -> bytes:
    """The workbook of one sizing and its scenarios, as the bytes of an .xlsx file.

    It holds the catalogs that the entries are from, so that a reader can try others.

    Parameters
    ----------
    result : what the sheet Sizing shows.
    catalogs : what the names stand for.
    scenarios : rows of Scenarios beside it; presets of the same load where there are none.
    base : name of the scenario that the others are compared with; empty for none.
    made_on : the date that the workbook bears; None for none.
    language : what its texts are in.
    content : what the sheet Report says; None for a workbook without it.

    Raises
    ------
    WorkbookLimitError : a workbook could not count the load exactly.
    """
    require_countable(result)
    if not scenarios:
        scenarios, base = presets(result, catalogs, language=language), AS_ASKED
    title = Message(
        "Nodes for {model} on {server}", model=result.model.name, server=result.server.name
    )
    about = "about-report.md"
    return _workbook(
        title, result, scenarios, base, catalogs, about, made_on, language, content=content
    )


def _workbook(
    title: str,
    sizing: SizingResult,
    scenarios: Sequence[Scenario],
    base: str,
    catalogs: Catalogs,
    about: str,
    made_on: date | None,
    language: Language,
    host: Host = PLAIN_WORKBOOK,
    content: Report | None = None,
) -> bytes:
    book, notes = computed(sizing, scenarios, base, catalogs, title=title, language=language)
    if content is not None:
        write_report_sheet(book, notes, content, sizing, scenarios)
    write_about_sheet(book, notes, about, sizing, catalogs, host, made_on)
    host.equip(book, notes)
    _colour_tabs(book)
    return package(book, notes, made_on)


def computed(
    sizing: SizingResult,
    scenarios: Sequence[Scenario],
    base: str,
    catalogs: Catalogs,
    *,
    title: str = "",
    values: Mapping[str, Value] | None = None,
    room: Room = NO_ROOM,
    language: Language = ENGLISH,
    has_looks: bool = True,
) -> tuple[Workbook, PackageNotes]:
    """The sheets of a workbook that compute, before they are finished.

    Parameters
    ----------
    sizing : what the sheet Sizing shows.
    scenarios : the rows of Scenarios.
    base : name of the scenario that the others are compared with; empty for none.
    catalogs : what the names stand for.
    title : the workbook's title.
    values : what the formulas on Sizing come to, by symbol, where that is not the sizing; only
        the sheet Warnings shows it.
    room : how many lines there are where they follow from what the workbook was made with.
    language : what its texts are in.
    has_looks : whether the cells get their looks, which take a third of the time.

    Returns
    -------
    The workbook, and the values of its formulas.
    """
    book, notes = (
        _new_book(language.say(title), language.say(_SUBJECT)),
        PackageNotes(language=language, has_looks=has_looks),
    )
    write_sizing_sheet(book, notes, sizing, catalogs)
    table = ScenarioTable(write_scenarios_sheet(book, notes, scenarios, base, catalogs), scenarios)
    write_charts_sheet(book, notes, sizing, catalogs, table, room.servers)
    write_engine_sheet(book, notes, sizing, catalogs, table)
    on_sizing = formula_values(sizing, catalogs) if values is None else values
    write_warnings_sheet(book, notes, on_sizing, scenarios, room.lines, room.printed)
    write_catalog_sheets(book, notes, catalogs)
    write_layouts_sheet(book, notes, catalogs)
    write_constants_sheet(book, notes)
    return book, notes


def _colour_tabs(book: Workbook) -> None:
    """Tell apart by their tabs where to type, what to read, and what it is computed from."""
    for sheet in book.worksheets:
        sheet.sheet_properties.tabColor = TAB_COLOURS.get(sheet.title, TAB_OF_DATA)


def _new_book(title: str, subject: str) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties = DocumentProperties(
        title=title, creator=f"xlsizing {__version__}", subject=subject
    )
    return book


def _example_scenarios(catalogs: Catalogs) -> tuple[list[Scenario], SizingResult]:
    """Three scenarios, and the second one's sizing for the sheet Sizing."""
    model = _example(catalogs.models, _EXAMPLE_MODEL)
    server = _example(catalogs.servers, _EXAMPLE_SERVER)
    storage = _example(catalogs.profiles, _EXAMPLE_STORAGE)
    pilot = size(model, server, storage, concurrency=200, effective_context=32_768)
    launch = size(
        model, server, storage, concurrency=1_000, effective_context=131_072, ha_mode="n+1"
    )
    growth = size(
        model,
        server,
        storage,
        concurrency=5_000,
        effective_context=131_072,
        peak_headroom_ratio=0.30,
        ha_mode="n+1",
    )
    named = {Message("Pilot"): pilot, _LAUNCH: launch, Message("Growth"): growth}
    scenarios = [sized_scenario(name, result, catalogs) for name, result in named.items()]
    return scenarios, launch


def _example(entries: tuple[AnyEntry, ...], name: str) -> AnyEntry:
    """The entry that the examples use, or the first one where a catalog lacks it."""
    try:
        return find("entry", entries, name)
    except UnknownNameError:
        return entries[0]
