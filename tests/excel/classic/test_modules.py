"""The texts of the VBA modules: current, complete, and such as VBA takes them."""

import inspect
import re
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.excel.calls import ARGUMENTS
from xlsizing.excel import functions, scripts, vba
from xlsizing.excel.host import FUNCTIONS
from xlsizing.language import language

FOLDER = PROJECT / "workbook" / "vba"
HOW = "run python -m xlsizing.excel.vba workbook/vba"


def text(name: str) -> str:
    return (FOLDER / name).read_bytes().decode("ascii")


def test_the_modules_are_current() -> None:
    made = vba.modules(FUNCTIONS)
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, source in made.items():
        assert text(name) == source, HOW


def test_they_are_written_as_they_are_checked_in(tmp_path: Path) -> None:
    vba.main(str(tmp_path))
    for path in FOLDER.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_lines_end_as_vba_needs_them(path: Path) -> None:
    content = path.read_bytes()
    assert content.isascii()
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r") > 0
    assert content.endswith(b"\r\n")
    if path.suffix == ".bas":
        assert content.startswith(f'Attribute VB_Name = "{path.stem}"\r\n'.encode())
        assert b"\r\nOption Explicit\r\n" in content


def test_every_function_has_a_wrapper_with_its_arguments_in_order() -> None:
    wrappers = re.findall(
        r"Public Function (\w+)\( _\r\n\s*(.*?)\) As Variant\r\n"
        r"    (\w+) = Answer\(\"(\w+)\", Array\( _\r\n\s*(.*?)\)\)\r\nEnd Function",
        text("XlsizingFunctions.bas"),
        re.DOTALL,
    )
    assert {name for name, *_ in wrappers} == set(ARGUMENTS) == set(FUNCTIONS)
    for name, declared, assigned, asked, passed in wrappers:
        assert name == assigned == asked
        given = re.findall(r"(Optional )?(\w+) As Variant", declared)
        assert [word for _, word in given] == passed.split(", ")
        wanted = [(argument.name, argument.optional) for argument in FUNCTIONS[name].arguments]
        assert [(word, bool(optional)) for optional, word in given] == wanted
        assert [optional for _, optional in wanted] == [
            "[" in each for each in ARGUMENTS[name].split()
        ]


def test_only_functions_of_cells_and_one_macro_can_be_seen() -> None:
    for path in FOLDER.glob("*.bas"):
        source = text(path.name)
        if "Option Private Module" in source:
            continue
        public = set(re.findall(r"^Public (?:Function|Sub) (\w+)", source, re.MULTILINE))
        declared = set(re.findall(r"^\w+ (?:Function|Sub) (\w+)", source, re.MULTILINE))
        private = set(re.findall(r"^Private (?:Function|Sub) (\w+)", source, re.MULTILINE))
        assert public | private == declared
        assert public == ({"FullReport"} if path.stem == "XlsizingReport" else set(ARGUMENTS))


def test_no_procedure_module_or_constant_shares_a_name() -> None:
    """VBA takes small letters for capitals, and a module's name for a procedure's."""
    names = [path.stem for path in FOLDER.glob("*.bas")]
    for path in FOLDER.iterdir():
        names += re.findall(r"^\w+ (?:Function|Sub|Const) (\w+)", text(path.name), re.MULTILINE)
    assert len({name.lower() for name in names}) == len(names)


LANGUAGES = ("en", "pt-BR")


def said(source: str, code: str) -> str:
    """VBA's code with each call of Said in place of what it answers in a language."""
    text = r'(?:Spelt\("(?:[^"]|"")*"\)|"(?:[^"]|"")*"|[\w()]+)'
    joined = rf"{text}(?:\s(?:_\s+)?& {text})*"
    which = 1 + LANGUAGES.index(code)
    call = re.compile(rf"Said\( _\s+({joined}), _\s+({joined})\)")
    return call.sub(lambda found: found[which], source.replace("\r", ""))


def spelt(code: str) -> str:
    """The text of VBA's code that joins texts with letters by their numbers."""
    joined = "".join(re.findall(r'"((?:[^"]|"")*)"', code)).replace('""', '"')
    return re.sub(r"\{(\d+)\}", lambda number: chr(int(number[1])), joined)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_wizard_describes_every_function_and_argument(code: str) -> None:
    source = said(text("XlsizingWizard.bas"), code)
    notes = {
        place: spelt(note)
        for place, note in re.findall(
            r"^    note\((\d+)\) = (.*?)(?=\n    \w)", source, re.MULTILINE | re.DOTALL
        )
    }
    found = {}
    for name, summary, places in re.findall(
        r'Describe "(\w+)", (.*?), _\n        Array\(([^\n]*)\)\n', source, re.DOTALL
    ):
        numbers = re.findall(r"note\((\d+)\)", places)
        found[name] = [spelt(summary), *(notes[number] for number in numbers)]
        assert all(0 < len(each) <= 255 for each in found[name])
    say = language(code).say
    assert found == {
        name: [
            say(function.summary),
            *(say(argument.note) for argument in function.arguments),
        ]
        for name, function in FUNCTIONS.items()
    }
    assert len(notes) == len(set(notes.values()))


def test_every_text_for_people_is_there_in_both_languages() -> None:
    count = 0
    for path in FOLDER.glob("*.bas"):
        source = text(path.name)
        both = [re.findall(r"Said\( _", said(source, each)) for each in LANGUAGES]
        assert both == [[], []], f"{path.name} has a call of Said that is read here otherwise"
        count += source.count("Said( _")
        for shown in re.findall(
            r"(?:MsgBox|StatusBar =|Refuse) (?!False|Said|ReasonOf)(.*)", source
        ):
            assert shown.strip() == "ByVal sentence As String)", f"{path.name} shows {shown}"
    assert count > 35


def test_a_note_that_the_wizard_cannot_show_is_refused() -> None:
    function = FUNCTIONS["KV_TOTAL"]
    note = function.arguments[0]._replace(note="x" * 256)
    changed = function._replace(arguments=(note, *function.arguments[1:]))
    with pytest.raises(AssertionError, match="longer than the 255 characters"):
        vba.modules({**FUNCTIONS, "KV_TOTAL": changed})


def test_the_functions_are_where_the_macros_look_for_them() -> None:
    assert functions.__name__ == vba.MODULE
    assert f'"{functions.__name__}"' in text("XlsizingPython.bas")


def statements(code: str = "en") -> str:
    """What the button has Python run, out of the module's text."""
    source = said(text("XlsizingReport.bas"), code)
    return spelt(re.findall(r"StartPython (.*?)\n(?! *&)", source, re.DOTALL)[0])


def test_the_button_runs_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(scripts, "full_report", lambda: made.append("report"))
    for code in LANGUAGES:
        exec(compile(statements(code), "button", "single"), {})
    assert made == ["report", "report"]


def test_the_report_is_where_the_button_looks_for_it() -> None:
    assert f"{scripts.__name__}.{scripts.full_report.__name__}()" in statements()
    assert not inspect.signature(scripts.full_report).parameters


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("en", "This Python has no xlsizing. Install it there"),
        ("pt-BR", "Falta o xlsizing neste Python. Instale-o nele"),
    ],
)
def test_where_python_has_no_xlsizing_the_button_says_so_in_a_sentence(
    code: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=f"^{re.escape(sentence)}"):
        exec(compile(statements(code), "button", "single"), {})


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_buttons_statements_pass_through_a_shell_of_either_system(code: str) -> None:
    """They stand between double quotes, and on a Mac the add-in cuts at bars."""
    assert not set(statements(code)) & set('"|`$%!\\^\n')
    assert statements(code).isascii()


def test_renaming_or_moving_the_file_breaks_nothing() -> None:
    """No macro reads its name, but the wizard's, which reads it each time."""
    for path in FOLDER.iterdir():
        named = re.findall(r"\w*Workbook\.(?:Name|FullName|Path)\b", text(path.name))
        assert named == (["ThisWorkbook.Name"] if path.stem == "XlsizingWizard" else [])


def test_the_macro_sets_no_status_bar_on_a_mac_where_nothing_would_clear_it() -> None:
    macro = (FOLDER / "XlsizingReport.bas").read_text(encoding="ascii")
    is_mac, set_there = True, []
    for line in macro.splitlines():
        if line.startswith("#If Not Mac"):
            is_mac = False
        elif line.startswith("#End If"):
            is_mac = True
        elif is_mac and "StatusBar" in line:
            set_there.append(line.strip())
    assert set(set_there) == {"Application.StatusBar = False"}
    assert "StatusBar = Said" in macro
