"""A form button, as Excel draws it: a shape of VML, the drawing language that its controls have."""

from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

_POINTS_PER_PIXEL = 0.75
_PIXELS_PER_CHARACTER = 7


class Button(NamedTuple):
    """A button within one cell."""

    caption: str
    macro: str
    """Name of the macro that it runs, in the same workbook."""
    alt_text: str
    """What it does, for people who do not see it."""
    column: int
    row: int
    """The cell, counted from 1."""
    left: int
    top: int
    """Its place in the cell [pixels]."""
    width: int
    height: int
    """[pixels]."""


def button_vml(button: Button, left_of_cell: float, top_of_cell: float) -> bytes:
    """The drawing part with a button, which does not print.

    Parameters
    ----------
    left_of_cell : widths of the columns before the button's, together [characters].
    top_of_cell : heights of the rows above it, together [points].
    """
    column, row = button.column - 1, button.row - 1
    right, bottom = button.left + button.width, button.top + button.height
    left = (left_of_cell * _PIXELS_PER_CHARACTER + button.left) * _POINTS_PER_PIXEL
    top = top_of_cell + button.top * _POINTS_PER_PIXEL
    width, height = button.width * _POINTS_PER_PIXEL, button.height * _POINTS_PER_PIXEL
    return f"""\
<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"
 xmlns:x="urn:schemas-microsoft-com:office:excel">
<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>
<v:shapetype id="_x0000_t201" coordsize="21600,21600" o:spt="201"
 path="m,l,21600r21600,l21600,xe">
<v:stroke joinstyle="miter"/>
<v:path shadowok="f" o:extrusionok="f" strokeok="f" fillok="f" o:connecttype="rect"/>
<o:lock v:ext="edit" shapetype="t"/>
</v:shapetype>
<v:shape id="_x0000_s1025" type="#_x0000_t201" alt={quoteattr(button.alt_text)}
 style="position:absolute;margin-left:{left:g}pt;margin-top:{top:g}pt;width:{width:g}pt;\
height:{height:g}pt;z-index:1;mso-wrap-style:tight"
 o:button="t" fillcolor="buttonFace [67]" strokecolor="windowText [64]" o:insetmode="auto">
<v:fill color2="buttonFace [67]" o:detectmouseclick="t"/>
<o:lock v:ext="edit" rotation="t"/>
<v:textbox style="mso-direction-alt:auto" o:singleclick="f">
<div style="text-align:center"><font face="Calibri" size="220" color="#000000">\
{escape(button.caption)}</font></div>
</v:textbox>
<x:ClientData ObjectType="Button">
<x:Anchor>{column}, {button.left}, {row}, {button.top}, {column}, {right}, {row}, {bottom}</x:Anchor>
<x:PrintObject>False</x:PrintObject>
<x:AutoFill>False</x:AutoFill>
<x:FmlaMacro>[0]!{escape(button.macro)}</x:FmlaMacro>
<x:TextHAlign>Center</x:TextHAlign>
<x:TextVAlign>Center</x:TextVAlign>
</x:ClientData>
</v:shape>
</xml>
""".encode()
