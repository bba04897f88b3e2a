"""The charts of the template and of reports: what they carry, say and cover."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping

import pytest

from tests.book.charts import CHART, TEXT, Element, cell_box, chart_findings, charts
from tests.book.rules import MAIN, opened
from tests.book.test_report import LOADS, sized
from tests.book.test_template import HOSTILE_NAMES, catalogs_of
from xlsizing.book.build import report, template
from xlsizing.core import Catalogs

NAMES = [
    "Nodes by concurrency",
    "HBM of one node",
    "KV cache by precision",
    "Sessions per node by context",
    "Nodes by scenario",
]
SCREEN_PIXELS = 1_366 - 30 - 20
"""The width of a small screen, without row numbers and scroll bar."""


@pytest.fixture(scope="module")
def content(catalogs: Catalogs) -> bytes:
    return template(catalogs)


def names(content: bytes, sheet: str) -> list[str]:
    return [chart.name for chart in charts(content) if chart.sheet.title == sheet]


def test_the_template_has_a_chart_for_each_question(content: bytes) -> None:
    assert names(content, "Charts") == NAMES
    assert names(content, "Engine") == ["Memory of one GPU"]


def test_charts_of_the_template_have_no_faults(content: bytes) -> None:
    assert chart_findings(content) == []


@pytest.mark.parametrize("name", LOADS)
def test_charts_of_a_report_have_no_faults(catalogs: Catalogs, name: str) -> None:
    model, server, storage, load = LOADS[name]
    made = report(sized(catalogs, model, server, storage, **load), catalogs)
    assert names(made, "Charts") == NAMES
    assert chart_findings(made) == []


def test_charts_of_a_catalog_with_hostile_names_have_no_faults() -> None:
    hostile = catalogs_of(HOSTILE_NAMES)
    assert chart_findings(template(hostile)) == []


def test_every_server_of_the_catalog_has_a_line_of_its_own(
    content: bytes, catalogs: Catalogs
) -> None:
    [lines] = [chart for chart in charts(content) if chart.name == "Sessions per node by context"]
    series = list(lines.root.iter(f"{CHART}ser"))
    names = [str(next(each.iter(f"{CHART}v")).text) for each in series]
    assert names == ["chosen: dgx-b300", *(f"{server.name} " for server in catalogs.servers)]
    looks = [(looks_of(each, "srgbClr"), looks_of(each, "prstDash")) for each in series]
    assert len(set(looks)) == len(series) == len(catalogs.servers) + 1


def looks_of(series: Element, tag: str) -> str:
    """The first colour or dash of a series."""
    return str(next(series.iter(f"{TEXT}{tag}")).get("val"))


def test_two_charts_stand_side_by_side_on_a_small_screen(content: bytes) -> None:
    boxes = [chart.box for chart in charts(content) if chart.sheet.title == "Charts"]
    assert max(box.right for box in boxes) <= SCREEN_PIXELS
    left, right = boxes[0], boxes[3]
    assert left.right < right.left
    assert left.top == right.top


def test_charts_print_on_one_page_and_their_figures_on_the_next(content: bytes) -> None:
    [sheet] = [sheet for sheet in opened(content).sheets if sheet.title == "Charts"]
    [end] = [int(each.get("id") or 0) for each in sheet.root.iterfind("{*}rowBreaks/{*}brk")]
    boxes = [chart.box for chart in charts(content) if chart.sheet.title == "Charts"]
    below = cell_box(sheet, 1, end + 1).top
    assert max(box.bottom for box in boxes) <= below
    last = max(int(row.get("r") or 0) for row in sheet.root.iter(f"{MAIN}row"))
    scale = int(next(sheet.root.iter(f"{MAIN}pageSetup")).get("scale") or 0) / 100
    margins = {
        side: float(str(margin))
        for side, margin in next(sheet.root.iter(f"{MAIN}pageMargins")).items()
    }
    # A4 on its side, less the margins, at the scale [pixels].
    width = (297 / 25.4 - margins["left"] - margins["right"]) * 96 / scale
    height = (210 / 25.4 - margins["top"] - margins["bottom"]) * 96 / scale
    titles = cell_box(sheet, 1, 3).top
    assert max(box.right for box in boxes) <= width
    assert below <= height
    assert cell_box(sheet, 1, last + 1).top - below + titles <= height


Change = Callable[[bytes], bytes]


def changed(pattern: bytes, replacement: bytes) -> Change:
    def change(text: bytes) -> bytes:
        made, count = re.subn(pattern, replacement, text, count=1, flags=re.DOTALL)
        assert count == 1
        return made

    return change


FAULTS: Mapping[str, tuple[str, Change, str]] = {
    "stale number": (
        "xl/charts/chart1.xml",
        changed(rb"(<val>.*?<v>)[^<]+", rb"\g<1>77"),
        "carries",
    ),
    "stale name": ("xl/charts/chart1.xml", changed(rb"(<tx>.*?<v>)[^<]+", rb"\1stale"), "carries"),
    "number left out": ("xl/charts/chart1.xml", changed(rb'<pt idx="2">.*?</pt>', b""), "carries"),
    "no such cells": (
        "xl/charts/chart2.xml",
        changed(rb"\$N\$48:\$N\$52", rb"$ZZ$48:$ZZ$52"),
        "refers",
    ),
    "no such sheet": ("xl/charts/chart2.xml", changed(rb"'Charts'!", rb"'Chart'!"), "refers"),
    "other cells": (
        "xl/charts/chart1.xml",
        changed(rb"\$E\$48:\$E\$55", rb"$G$48:$G$55"),
        "carries",
    ),
    "no title": (
        "xl/charts/chart3.xml",
        changed(rb"<chart><title>.*?</title>", b"<chart>"),
        "no title",
    ),
    "no axis title": (
        "xl/charts/chart4.xml",
        changed(rb"(<valAx>.*?)<title>.*?</title>", rb"\1"),
        "axis without a title",
    ),
    "no alt text": ("xl/drawings/drawing1.xml", changed(rb' descr="[^"]*"', b""), "no alt text"),
    "charts overlap": (
        "xl/drawings/drawing1.xml",
        changed(rb"(<(?:\w+:)?to>.*?row>)\d+", rb"\g<1>20"),
        "overlap",
    ),
    "a chart on figures": (
        "xl/drawings/drawing1.xml",
        changed(rb"(.*<(?:\w+:)?to>.*?row>)\d+", rb"\g<1>60"),
        "covers",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(content: bytes, name: str) -> None:
    part, change, words_of_it = FAULTS[name]
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        parts = {each: source.read(each) for each in source.namelist()}
    parts[part] = change(parts[part])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for each, text in parts.items():
            target.writestr(each, text)
    assert any(words_of_it in finding for finding in chart_findings(made.getvalue()))
