"""How errors flow through formulas: what Excel's own documentation says of each function."""

from collections.abc import Mapping

import pytest

from xlsizing.book.error_flow import FIGURE, NA, REFUSED, Scope, expression
from xlsizing.book.faults import FORMULAS
from xlsizing.core.planning.cells import CellError, Value, trimmed, words

SYMBOLS: Mapping[str, Value] = {
    "Na": NA,
    "Ref": CellError("#REF!"),
    "Two": 2,
    "Half": 0.5,
    "Empty": None,
    "None": "",
    "Word": "  Big   Plan ",
    "Yes": True,
    "Row": 2,
}
SCOPE = Scope(
    SYMBOLS.__getitem__,
    {"Const_Three": 3},
    {"Models[Name]": ("first", "second"), "Models[Window]": (128, None)},
)

CASES: Mapping[str, object] = {
    # An operator passes on the first error from the left.
    "{Two}+{Na}": NA,
    "{Ref}*{Na}": CellError("#REF!"),
    "{Na}*{Ref}": NA,
    "-{Ref}": CellError("#REF!"),
    '{Na}&"text"': NA,
    "{Two}>{Na}": NA,
    "{Two}-{Half}-Const_Three": -1.5,
    "{Two}-({Half}-Const_Three)": 4.5,
    "{Two}+{Two}*Const_Three": 8,
    "-{Two}+1": -1,
    '""+1': REFUSED,
    "{Empty}+1": 1,
    # IF has the error of its condition, or what the branch that it takes comes to.
    "IF({Na},1,2)": NA,
    "IF({Two}=2,{Na},3)": NA,
    "IF({Two}=2,3,{Na})": 3,
    "IF({Two}=3,{Na},3)": 3,
    "IF(TRUE,1,2)": 1,
    "IFERROR({Na},7)": 7,
    "IFERROR({Two},{Na})": 2,
    "IFERROR({Na},{Ref})": CellError("#REF!"),
    "ISERROR({Na})": True,
    "ISERROR({Two}/1)": False,
    "ISNUMBER({Na})": False,
    "ISNUMBER({Half})": True,
    "ISNUMBER({Yes})": False,
    "ISNUMBER({None})": False,
    "ISNUMBER({Empty})": False,
    # AND and OR look at every argument.
    "AND({Two}=3,{Na}=1)": NA,
    "OR({Two}=2,{Na}=1)": NA,
    "AND({Two}=2,{Half}<1)": True,
    "AND({Two}=2,{Half}>1)": False,
    "OR({Two}=3,{Half}<1)": True,
    "NOT({Two}=2)": False,
    "NOT({Na})": NA,
    "MIN({Two},{Na})": NA,
    "SUMPRODUCT(MAX(Layouts[Key]*{Ref}))": CellError("#REF!"),
    # Text and empty cells.
    '{Empty}=""': True,
    "{Empty}=0": True,
    '{None}=""': True,
    "{None}=0": False,
    '"ok"="OK"': True,
    '"2"={Two}': False,
    '"a">{Two}': True,
    '{Two}<>""': True,
    '{Two}&"|"&{Half}&{Empty}&{Yes}': "2|0.5TRUE",
    "TRIM({Word})": "Big Plan",
    "TRIM({Na})": NA,
    "LOWER(TRIM({Word}))": "big plan",
    'LEFT("cloud_disk",6)="cloud_"': True,
    'MID("; A; B",3,2000)': "A; B",
    '"say ""no"""': 'say "no"',
    "N({None})": 0,
    "N({Two})": 2,
    "N({Na})": NA,
    "INT(2.5)": 2,
    "INT(-{Half})": -1,
    "#VALUE!": REFUSED,
    # Tables.
    "INDEX(Models[Name],{Row})": "second",
    'INDEX(Models[Window],{Row})=""': True,
    "INDEX(Models[Name],{Na})": NA,
    'MATCH("second",Models[Name],0)': 2,
    'MATCH("third",Models[Name],0)': NA,
    "MATCH({Ref},Models[Name],0)": CellError("#REF!"),
    # Everything else is a figure that core knows.
    "ROUND({Half},0)": FIGURE,
    "{Two}/{Half}": FIGURE,
    "INDEX(Layouts[Key],{Row})": FIGURE,
    "FIXED({Two},0)": FIGURE,
    'FIXED({Two},0)&" sessions"': FIGURE,
    "IFERROR(ROUND({Half},0),1)": FIGURE,
    "MIN({Two},3)": FIGURE,
}


@pytest.mark.parametrize("text", CASES)
def test_an_expression_comes_to_what_excel_shows(text: str) -> None:
    found = expression(text)(SCOPE)
    assert found == CASES[text]
    assert isinstance(found, bool) is isinstance(CASES[text], bool)
    assert isinstance(found, CellError) is isinstance(CASES[text], CellError)


@pytest.mark.parametrize("symbol", FORMULAS)
def test_every_formula_of_a_row_is_understood(symbol: str) -> None:
    assert callable(expression(FORMULAS[symbol].text))


@pytest.mark.parametrize("text", ["1+", "(1", "IF(1", "1 2", "{a}{b}", "A1:B2", "{1;2}", "'x'!A1"])
def test_a_text_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        expression(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "TRUE"),
        (False, "FALSE"),
        (123, "123"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3"),
        (1e20, "1E+20"),
        ("  a  b ", "  a  b "),
    ],
)
def test_a_value_beside_text_is_the_text_that_it_shows(value: Value, text: str) -> None:
    assert words(value) == text


def test_trimmed_takes_out_blanks_as_trim_does() -> None:
    assert trimmed("  a   b\u00a0 ") == "a b\u00a0"
