"""What lies between a good machine and a faulty one."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.excel.doctor.machines import (
    ADD_IN,
    BESIDE_PLAN,
    CLASSIC,
    EXCEL,
    HOME,
    MAC_CLASSIC,
    MAC_HOME,
    MAC_SETTINGS,
    OTHER_PYTHON,
    OWN_SETTINGS,
    PLAN,
    POLICIES,
    PYTHON,
    SECURITY,
    VENV,
    findings,
    linux,
    mac,
    program,
    said,
    windows,
)
from xlsizing.core import Catalogs
from xlsizing.excel.doctor import Finding, Outcome, WorkbookFacts
from xlsizing.excel.doctor.finding import LONGEST, ok
from xlsizing.excel.doctor.python import is_within

DENIED = PermissionError(13, "Permission denied", "a file")


def settings(**rows: str) -> WorkbookFacts:
    return WorkbookFacts(PLAN, has_macros=True, has_wrappers=True, settings=tuple(rows.items()))


# Settings


def test_the_sheet_goes_before_the_file_beside_it_and_that_before_the_persons_own() -> None:
    files = {
        BESIDE_PLAN: b'"INTERPRETER_WIN","C:\\beside.exe"\r\n',
        OWN_SETTINGS: b'"INTERPRETER_WIN","C:\\own.exe"\r\n',
    }
    for workbook, expected in (
        (settings(INTERPRETER_WIN="C:\\sheet.exe"), "C:\\sheet.exe"),
        (CLASSIC, "C:\\beside.exe"),
        (None, "C:\\own.exe"),
    ):
        found = findings(windows(files), workbook)
        assert f'"{expected}"' in found["interpreter"].what
    keys = findings(windows(files), settings(INTERPRETER_WIN=PYTHON))["settings"].what
    assert keys == (
        f"INTERPRETER_WIN on the sheet xlwings.conf of {PLAN}; "
        rf"INTERPRETER_WIN in {BESIDE_PLAN}; INTERPRETER_WIN in {OWN_SETTINGS}"
    )


def test_an_empty_value_hides_those_further_down() -> None:
    found = findings(windows(), settings(INTERPRETER_WIN=""))
    assert "No setting INTERPRETER_WIN" in found["interpreter"].what


def test_keys_are_read_in_any_case_and_the_first_counts() -> None:
    text = f'"interpreter_win","{PYTHON}"\n"INTERPRETER_WIN","C:\\no.exe"'
    found = findings(windows({OWN_SETTINGS: text.encode()}))
    assert found["interpreter"].outcome is Outcome.OK


def test_the_old_key_is_read_where_the_new_one_holds_nothing() -> None:
    for line in ('"INTERPRETER_WIN",""\n', ""):
        text = f'{line}"INTERPRETER","{PYTHON}"\n'
        found = findings(windows({OWN_SETTINGS: text.encode()}))
        assert found["interpreter"].outcome is Outcome.OK
        assert "INTERPRETER in" in found["settings"].what


def test_a_name_that_no_ascii_holds_is_read_as_windows_reads_it() -> None:
    python = r"C:\Users\João\venv\Scripts\python.exe"
    for encoding, outcome in (("cp1252", Outcome.OK), ("utf-8", Outcome.PROBLEM)):
        text = f'"INTERPRETER_WIN","{python}"\r\n'.encode(encoding)
        machine = windows({OWN_SETTINGS: text, python: b"MZ"}, pythons={python: said()})
        assert findings(machine)["interpreter"].outcome is outcome


@pytest.mark.parametrize("name", ["base", "plans", r"D:\envs\plans"])
def test_conda_names_a_python(name: str) -> None:
    python = {
        "base": r"C:\conda\python.exe",
        "plans": r"C:\conda\envs\plans\python.exe",
        r"D:\envs\plans": r"D:\envs\plans\python.exe",
    }[name]
    text = f'"INTERPRETER_WIN","python"\r\n"CONDA PATH","C:\\conda"\r\n"CONDA ENV","{name}"\r\n'
    files = {OWN_SETTINGS: text.encode(), r"C:\conda\condabin\conda.bat": b"", python: b"MZ"}
    machine = windows(files, pythons={python: said(environment="conda")})
    assert python in findings(machine)["interpreter"].what
    assert findings(machine)["interpreter"].outcome is Outcome.OK


def test_one_setting_of_conda_alone_names_none() -> None:
    found = findings(windows({OWN_SETTINGS: b'"CONDA PATH","C:\\conda"\r\n'}))
    assert "No setting INTERPRETER_WIN" in found["interpreter"].what


def test_variables_are_put_in() -> None:
    text = '"INTERPRETER_WIN","%UserProfile%\\xlsizing\\.venv\\Scripts\\python.exe"\r\n'
    assert findings(windows({OWN_SETTINGS: text.encode()}))["interpreter"].outcome is Outcome.OK
    text = '"INTERPRETER_MAC","$HOME/xlsizing/.venv/bin/python"\n'
    assert findings(mac({MAC_SETTINGS: text.encode()}))["interpreter"].outcome is Outcome.OK


def test_settings_that_may_not_be_read_leave_the_rest_checked() -> None:
    found = findings(windows({OWN_SETTINGS: DENIED}), CLASSIC)
    for check in ("settings", "interpreter"):
        assert found[check].outcome is Outcome.NOT_CHECKED
        assert found[check].what == "a file cannot be read: Permission denied."
    for check in ("python", "macros", "workbook", "Excel"):
        assert found[check].outcome is Outcome.OK


def test_settings_that_cannot_be_read_are_one_problem() -> None:
    found = findings(windows({OWN_SETTINGS: b"\r\n"}), CLASSIC)
    assert found["interpreter"].what == "The settings must be readable first."


# Excel and the add-in


def test_excel_is_told_with_its_bits() -> None:
    for code, bits in ((0x8664, "64 bits"), (0x014C, "32 bits"), (0xAA64, "64 bits")):
        assert (
            f"Excel 16, {bits}: {EXCEL}" == findings(windows({EXCEL: program(code)}))["Excel"].what
        )


@pytest.mark.parametrize(
    "content", [b"", b"MZ", b"\xff" * 4096, b"MZ\0\0\x64\x86" + bytes(90), program(0x1234)]
)
def test_an_excel_that_hides_its_bits_needs_both_dlls(content: bytes) -> None:
    assert findings(windows({EXCEL: content}))["Excel"].what == f"Excel 16: {EXCEL}"
    assert findings(windows({EXCEL: content}))["bridge"].outcome is Outcome.OK
    for name in ("xlwings64-0.37.8.dll", "xlwings32-0.37.8.dll"):
        found = findings(windows({EXCEL: content, rf"{VENV}\{name}": None}))
        assert name in found["bridge"].what
        assert found["bridge"].outcome is Outcome.PROBLEM


def test_an_excel_that_may_not_be_looked_at_is_there() -> None:
    assert findings(windows({EXCEL: DENIED}))["Excel"].what == f"Excel 16: {EXCEL}"


@pytest.mark.parametrize("value", [None, 7, b"C:\\", "C:\\gone\\EXCEL.EXE", "", ["C:\\"]])
def test_an_excel_that_the_registry_does_not_lead_to_is_none(value: object) -> None:
    key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
    assert findings(windows(registry={(key, ""): value}))["Excel"].outcome is Outcome.NOT_CHECKED


def test_the_add_in_may_be_that_of_all_persons() -> None:
    everyones = r"C:\Program Files\Microsoft Office\root\Office16\XLSTART\xlwings.xlam"
    found = findings(windows({ADD_IN: None, everyones: b"the add-in of 0.37.8"}))
    assert found["add-in"].outcome is Outcome.OK
    assert everyones in found["add-in"].what


def test_the_roaming_folder_may_be_elsewhere() -> None:
    elsewhere = r"H:\roaming\Microsoft\Excel\XLSTART\xlwings.xlam"
    machine = windows(
        {ADD_IN: None, elsewhere: b"the add-in of 0.37.8"},
        environment={"APPDATA": r"H:\roaming"},
    )
    assert elsewhere in findings(machine)["add-in"].what


def test_the_dll_may_lie_beside_the_python() -> None:
    python = {OWN_SETTINGS: f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'.encode(), OTHER_PYTHON: b""}
    beside = {r"C:\Python312\xlwings64-0.37.8.dll": b"MZ"}
    machine = windows({**python, **beside}, pythons={OTHER_PYTHON: said()})
    assert findings(machine)["bridge"].outcome is Outcome.OK


def test_an_add_in_without_its_pattern_is_not_compared() -> None:
    found = findings(windows({VENV + r"\Lib\site-packages\xlwings\addin\xlwings.xlam": None}))
    assert found["add-in"].outcome is Outcome.NOT_CHECKED


# Trust


@pytest.mark.parametrize("value", [1, 2])
def test_macros_that_run_or_are_asked_for_are_well(value: int) -> None:
    found = findings(windows(registry={(rf"HKEY_CURRENT_USER\{SECURITY}", "VBAWarnings"): value}))
    assert found["macros"].outcome is Outcome.OK


def test_a_policy_that_lets_macros_run_goes_before_the_persons_choice() -> None:
    registry: dict[tuple[str, str], object] = {
        (rf"HKEY_CURRENT_USER\{SECURITY}", "VBAWarnings"): 4,
        (rf"HKEY_CURRENT_USER\{POLICIES}", "VBAWarnings"): 2,
    }
    assert findings(windows(registry=registry))["macros"].outcome is Outcome.OK


@pytest.mark.parametrize("value", [0, 5, -1, 2**32, "2", b"\x02\0\0\0", [2], "", True])
def test_a_weird_value_of_the_registry_is_shown_and_not_judged(value: object) -> None:
    found = findings(windows(registry={(rf"HKEY_CURRENT_USER\{SECURITY}", "VBAWarnings"): value}))
    assert found["macros"].outcome is Outcome.NOT_CHECKED
    assert repr(value) in found["macros"].what


def test_the_key_is_that_of_the_version_of_excel() -> None:
    registry: dict[tuple[str, str], object] = {
        (r"HKEY_CLASSES_ROOT\Excel.Application\CurVer", ""): "Excel.Application.17",
        (r"HKEY_CURRENT_USER\Software\Microsoft\Office\17.0\Excel\Security", "VBAWarnings"): 4,
    }
    assert findings(windows(registry=registry))["macros"].outcome is Outcome.PROBLEM


def test_a_registry_that_may_not_be_read_is_not_judged() -> None:
    def refused(key: str, name: str) -> object:
        if "Policies" in key:
            raise PermissionError(13, "Access is denied")
        return windows().registry(key, name)

    found = findings(replace(windows(), registry=refused))
    assert found["macros"].outcome is Outcome.NOT_CHECKED
    assert "Access is denied" in found["macros"].what
    assert found["Excel"].outcome is Outcome.OK


def test_programs_that_may_write_macros_are_well() -> None:
    key = (rf"HKEY_CURRENT_USER\{SECURITY}", "AccessVBOM")
    found = findings(windows(registry={key: 1}), WorkbookFacts(PLAN, has_macros=True))
    assert found["project access"].outcome is Outcome.OK


@pytest.mark.parametrize("state", ["", "DisabledWithWarnings", "EnabledWithoutWarnings"])
def test_macros_on_a_mac_are_well(state: str) -> None:
    machine = mac(preferences={"VisualBasicMacroExecutionState": state})
    assert findings(machine, MAC_CLASSIC)["macros"].outcome is Outcome.OK


# The workbook


@pytest.mark.parametrize("zone", [0, 1, 2])
def test_a_mark_of_a_trusted_zone_blocks_nothing(zone: int) -> None:
    mark = f"[ZoneTransfer]\r\nZoneId={zone}\r\n".encode()
    found = findings(windows({PLAN + ":Zone.Identifier": mark}), CLASSIC)
    assert found["mark of the web"].outcome is Outcome.OK


@pytest.mark.parametrize("mark", [b"", b"[ZoneTransfer]", b"ZoneId=many", b"ZoneId=" + b"9" * 80])
def test_a_mark_that_names_no_zone_is_not_judged(mark: bytes) -> None:
    found = findings(windows({PLAN + ":Zone.Identifier": mark}), CLASSIC)
    assert found["mark of the web"].outcome is Outcome.NOT_CHECKED


def test_a_marked_workbook_without_macros_has_nothing_to_block() -> None:
    machine = windows({r"C:\plans\plan.xlsx:Zone.Identifier": b"[ZoneTransfer]\nZoneId=3\n"})
    found = findings(machine, WorkbookFacts(r"C:\plans\plan.xlsx", has_lite_code=True))
    assert found["mark of the web"].outcome is Outcome.OK
    assert "Enable Editing" in found["mark of the web"].what


def test_a_disk_that_knows_no_streams_is_not_judged() -> None:
    error = OSError(22, "Invalid argument", PLAN)
    found = findings(windows({PLAN + ":Zone.Identifier": error}), CLASSIC)
    assert found["mark of the web"].outcome is Outcome.NOT_CHECKED


def test_an_open_workbook_is_told() -> None:
    assert "Excel has it open" not in findings(windows(), CLASSIC)["workbook"].what
    found = findings(windows({r"C:\plans\~$plan.xlsm": b""}), CLASSIC)
    assert "Excel has it open" in found["workbook"].what


def test_a_workbook_that_could_not_be_looked_into_is_not_judged() -> None:
    workbook = WorkbookFacts(PLAN, hindrance="plan.xlsm cannot be looked into: No openpyxl.")
    found = findings(windows(), workbook)
    assert found["workbook"] == Finding(
        Outcome.NOT_CHECKED, "plan.xlsm cannot be looked into: No openpyxl."
    )
    assert found["add-in"].outcome is Outcome.OK  # it may need the add-in


ONEDRIVE = HOME + r"\OneDrive - Acme"
SYNCED = ONEDRIVE + r"\plan.xlsm"


@pytest.mark.parametrize(
    ("key", "value"),
    [("ADD_WORKBOOK_TO_PYTHONPATH", "False"), ("ONEDRIVE_COMMERCIAL_WIN", ONEDRIVE)],
)
def test_a_setting_settles_what_onedrive_does(key: str, value: str) -> None:
    machine = windows({SYNCED: b"PK"}, environment={"OneDriveCommercial": ONEDRIVE})
    workbook = WorkbookFacts(SYNCED, has_macros=True, has_wrappers=True, settings=((key, value),))
    found = findings(machine, workbook)
    assert found["location"].outcome is Outcome.OK
    assert key in found["location"].what


def test_a_folder_that_only_begins_like_onedrive_is_another() -> None:
    path = ONEDRIVE + r" old\plan.xlsm"
    machine = windows({path: b"PK"}, environment={"OneDriveCommercial": ONEDRIVE})
    found = findings(machine, WorkbookFacts(path, has_macros=True, has_wrappers=True))
    assert found["location"].outcome is Outcome.OK


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        ("OneDrive-Personal", "ONEDRIVE_CONSUMER_MAC"),
        ("OneDrive-Acme", "ONEDRIVE_COMMERCIAL_MAC"),
        ("OneDrive-SharedLibraries-Acme", "SHAREPOINT_MAC"),
    ],
)
def test_on_a_mac_each_kind_of_folder_has_its_setting(folder: str, key: str) -> None:
    path = f"{MAC_HOME}/Library/CloudStorage/{folder}/plan.xlsm"
    for given, outcome in ((key, Outcome.OK), ("SHAREPOINT_WIN", Outcome.PROBLEM)):
        rows = ((given, "/somewhere"),)
        workbook = WorkbookFacts(path, has_macros=True, has_wrappers=True, settings=rows)
        assert findings(mac({path: b"PK"}), workbook)["location"].outcome is outcome


@pytest.mark.parametrize(
    "name", ["plan.py", "helpers.py", "statistics.txt", r"statistics\notes.txt", "sys.py"]
)
def test_neighbours_that_hide_nothing_are_well(name: str) -> None:
    found = findings(windows({rf"C:\plans\{name}": b""}), CLASSIC)
    assert found["neighbours"].outcome is Outcome.OK


def test_no_neighbour_counts_where_the_folder_is_not_added() -> None:
    machine = windows({r"C:\plans\statistics.py": b""})
    found = findings(machine, settings(ADD_WORKBOOK_TO_PYTHONPATH="FALSE"))
    assert found["neighbours"].outcome is Outcome.OK


def test_a_folder_that_may_not_be_listed_is_not_judged() -> None:
    found = findings(windows({r"C:\plans": DENIED}), CLASSIC)
    assert found["neighbours"].outcome is Outcome.NOT_CHECKED
    assert "Permission denied" in found["neighbours"].what


# Catalogs


def test_catalogs_are_counted_and_their_folder_is_told(catalogs: Catalogs) -> None:
    counts = (
        f"{len(catalogs.models)} models, {len(catalogs.servers)} servers, "
        f"{len(catalogs.profiles)} storage profiles"
    )
    folder = str(PROJECT / "catalogs")
    for machine, named, source in (
        (linux(), folder, "--catalogs"),
        (linux(environment={"XLSIZING_CATALOGS": folder}), None, "XLSIZING_CATALOGS"),
        (linux(), None, "shipped"),
    ):
        what = findings(machine, catalogs=named)["catalogs"].what
        assert what == f"{counts} in {folder} ({source})"


@pytest.mark.parametrize(("has_wrappers", "is_wrong"), [(True, True), (False, False)])
def test_a_workbook_with_functions_of_other_catalogs_is_a_problem(
    catalogs: Catalogs, *, has_wrappers: bool, is_wrong: bool
) -> None:
    for made_from, differs in (("0123456789ab", is_wrong), (catalogs.fingerprint(), False)):
        facts = WorkbookFacts(
            "/plans/plan.xlsm",
            has_macros=has_wrappers,
            has_wrappers=has_wrappers,
            catalogs=made_from,
        )
        folder = str(PROJECT / "catalogs")
        found = findings(linux(), facts, catalogs=folder)["catalogs"]
        assert (found.outcome is Outcome.PROBLEM) is differs
        assert (made_from in found.what and catalogs.fingerprint() in found.what) is differs


def test_catalogs_that_do_not_load_are_a_problem(tmp_path: Path) -> None:
    machine = linux(environment={"XLSIZING_CATALOGS": "/no/such"})
    found = findings(machine)["catalogs"]
    assert found.outcome is Outcome.PROBLEM
    assert "There is no such folder" in found.what or "cannot be read" in found.what
    assert found.mend == 'Mend what xlsizing catalog validate --catalogs "/no/such" lists.'
    assert "have a fault: /no/such: " in found.what
    found = findings(machine, catalogs=str(tmp_path))["catalogs"]
    assert f"{tmp_path} (--catalogs) have 3 faults" in found.what
    assert "models.json" in found.what


# Packages and sentences


@pytest.mark.parametrize(
    ("version", "bounds", "expected"),
    [
        ("0.37", ">=0.37,<1", True),
        ("0.37.8", ">=0.37,<1", True),
        ("0.36.12", ">=0.37,<1", False),
        ("1.0.0", ">=0.37,<1", False),
        ("1.0.0rc1", ">=0.37,<1", False),
        ("3.1.10", ">=3.1.5,<4", True),
        ("308", ">=224", True),
        ("5.10", ">=5.2", True),
        ("unknown", ">=5.2", False),
        ("", ">=5.2", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, bounds: str, expected: bool) -> None:
    assert is_within(version, bounds) is expected


def test_a_sentence_is_one_line_and_not_endless() -> None:
    assert ok("a\n  b\tc").what == "a b c"
    assert ok("\x1b[2Jé\ud800").what == "\\x1b[2Jé\\ud800"
    assert len(ok("x" * 10_000).what) == LONGEST


def test_a_problem_without_a_mend_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        Finding(Outcome.PROBLEM, "Something is wrong.")
    with pytest.raises(AssertionError):
        Finding(Outcome.OK, "All is well.", "Do something.")
