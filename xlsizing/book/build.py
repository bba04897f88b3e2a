"""Building workbooks: the planning template, and the report of one sizing."""

from openpyxl.packaging.core import DocumentProperties
from openpyxl.workbook import Workbook

from xlsizing import __version__
from xlsizing.book.about_sheet import write_about_sheet
from xlsizing.book.catalog_sheets import write_catalog_sheets
from xlsizing.book.cells import PackageNotes
from xlsizing.book.engine.layouts import write_layouts_sheet
from xlsizing.book.engine.scenarios import ScenarioTable
from xlsizing.book.engine.sheet import write_engine_sheet
from xlsizing.book.lambdas import define_functions
from xlsizing.book.limits import require_countable
from xlsizing.book.package import package
from xlsizing.book.scenarios_sheet import Scenario, write_scenarios_sheet
from xlsizing.book.sizing_sheet import write_sizing_sheet
from xlsizing.book.warnings_sheet import write_live_warnings, write_warning_list
from xlsizing.core import Catalogs, SizingResult, UnknownNameError, size
from xlsizing.core.catalogs import AnyEntry, find

_EXAMPLE_MODEL, _EXAMPLE_SERVER, _EXAMPLE_STORAGE = "gpt-oss-120b", "dgx-b300", "profile_default"


def template(catalogs: Catalogs) -> bytes:
    """The planning workbook with all of `catalogs`, as the bytes of an .xlsx file.

    It opens on an example, so that a first look shows what an answer looks like.
    """
    book, notes = _new_book("GPU node sizing"), PackageNotes()
    scenarios = _example_scenarios(catalogs)
    sizing = scenarios[1].result
    write_sizing_sheet(book, notes, sizing, catalogs)
    table = write_scenarios_sheet(book, notes, scenarios, catalogs)
    write_engine_sheet(book, notes, sizing, catalogs, ScenarioTable(table, scenarios))
    write_live_warnings(book, notes, sizing, scenarios)
    write_catalog_sheets(book, notes, catalogs)
    write_layouts_sheet(book, notes, catalogs)
    write_about_sheet(book, notes, "about-template.md")
    define_functions(book)
    return package(book, notes)


def report(result: SizingResult, catalogs: Catalogs) -> bytes:
    """The workbook of one sizing, as the bytes of an .xlsx file.

    It holds the catalogs that the entries are from, so that a reader can try others.

    Raises
    ------
    WorkbookLimitError : a workbook could not count the load exactly.
    """
    require_countable(result)
    title = f"Nodes for {result.model.name} on {result.server.name}"
    book, notes = _new_book(title), PackageNotes()
    write_sizing_sheet(book, notes, result, catalogs)
    write_engine_sheet(book, notes, result, catalogs)
    write_warning_list(book, notes, result)
    write_catalog_sheets(book, notes, catalogs)
    write_layouts_sheet(book, notes, catalogs)
    write_about_sheet(book, notes, "about-report.md")
    define_functions(book)
    return package(book, notes)


def _new_book(title: str) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties = DocumentProperties(
        title=title, creator=f"xlsizing {__version__}", subject="LLM serving capacity"
    )
    return book


def _example_scenarios(catalogs: Catalogs) -> list[Scenario]:
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
    return [Scenario("Pilot", pilot), Scenario("Launch", launch), Scenario("Growth", growth)]


def _example(entries: tuple[AnyEntry, ...], name: str) -> AnyEntry:
    """The entry that the examples use, or the first one where a catalog lacks it."""
    try:
        return find("entry", entries, name)
    except UnknownNameError:
        return entries[0]
