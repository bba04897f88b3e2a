"""The picture of a report: nodes by scenario, as bars."""

import io
import os
from collections.abc import Sequence

from xlsizing import palette
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message, joined
from xlsizing.language import Language
from xlsizing.report.counts import NONE_FITS, nodes_text
from xlsizing.report.full.scenario import ScenarioLine
from xlsizing.resources import shipped

_SCALE = 2
"""Points of the picture on one of the page, so that it is sharp on fine screens."""
WIDTH = 640
"""Of the picture on the page [CSS pixels]."""
_ROW, _BAR, _TITLE, _MARGIN = 30, 18, 40, 12
_SIZE, _TITLE_SIZE = 13, 15
_MOST_BARS = 20
_LONGEST_NAME = 28


def picture_text(scenarios: Sequence[ScenarioLine]) -> Message:
    """What the picture shows, for those who do not see it."""
    bars = (joined(": ", (each.name, nodes_text(each.nodes_final))) for each in _shown(scenarios))
    return Message("Nodes by scenario. {bars}.", bars=joined("; ", bars))


def picture(scenarios: Sequence[ScenarioLine], language: Language) -> bytes:
    """The bars as a PNG, WIDTH pixels wide on the page; the same bytes for the same bars."""
    from PIL import Image, ImageDraw, ImageFont

    lines = _shown(scenarios)
    path = os.path.join(shipped("workbook"), "fonts", "DejaVuSans.ttf")
    font = ImageFont.truetype(path, _SIZE * _SCALE)
    heading = ImageFont.truetype(path, _TITLE_SIZE * _SCALE)
    names = [_cut(language.say(line.name)) for line in lines]
    figures = [
        language.say(NONE_FITS if line.nodes_final is None else grouped(line.nodes_final))
        for line in lines
    ]
    left = max(font.getlength(name) for name in names) / _SCALE + 2 * _MARGIN
    right = WIDTH - _MARGIN - max(font.getlength(figure) for figure in figures) / _SCALE - 8
    most = max((line.nodes_final or 0 for line in lines), default=0) or 1
    height = _TITLE + _ROW * len(lines) + _MARGIN
    image = Image.new("RGB", (WIDTH * _SCALE, height * _SCALE), "white")
    draw = ImageDraw.Draw(image)

    def text(x: float, y: float, words: str, anchor: str, *, ink: str = palette.INK) -> None:
        used = heading if y < _TITLE else font
        draw.text((x * _SCALE, y * _SCALE), words, fill=f"#{ink}", font=used, anchor=anchor)

    text(_MARGIN, _TITLE / 2, language.say(Message("Nodes by scenario")), "lm", ink=palette.ACCENT)
    for number, (line, name, figure) in enumerate(zip(lines, names, figures, strict=True)):
        middle = _TITLE + _ROW * number + _ROW / 2
        end = left + (right - left) * (line.nodes_final or 0) / most
        corners = (left, middle - _BAR / 2, end, middle + _BAR / 2)
        colour = palette.ACCENT if not number else palette.SKY
        if line.nodes_final:
            draw.rectangle([each * _SCALE for each in corners], fill=f"#{colour}")
        text(left - _MARGIN, middle, name, "rm")
        text(end + 6, middle, figure, "lm")
    made = io.BytesIO()
    image.quantize(64).save(made, "PNG", optimize=True)
    return made.getvalue()


def _shown(scenarios: Sequence[ScenarioLine]) -> Sequence[ScenarioLine]:
    return scenarios[:_MOST_BARS]


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
