"""Machines with one fault each, and what the doctor must say of it."""

from typing import NamedTuple

from tests.excel.doctor.machines import (
    ADD_IN,
    CLASSIC,
    EXCEL,
    HOME,
    MAC_ADD_IN,
    MAC_CLASSIC,
    MAC_HOME,
    MAC_PYTHON,
    MAC_SCRIPT,
    MAC_SETTINGS,
    OTHER_PYTHON,
    OWN_SETTINGS,
    PLAN,
    POLICIES,
    PYTHON,
    SECURITY,
    VENV,
    XLWINGS,
    linux,
    mac,
    program,
    said,
    windows,
)
from xlsizing.excel.doctor import Machine, WorkbookFacts


class State(NamedTuple):
    """A machine with one fault."""

    name: str
    machine: Machine
    workbook: WorkbookFacts | None
    check: str
    """The check that finds it, and no other."""
    what: tuple[str, ...]
    """What its sentence must hold."""
    mend: str
    """The one thing to do, word for word."""


def own(text: str) -> dict[str, bytes]:
    """The person's own settings on Windows."""
    return {OWN_SETTINGS: text.encode("cp1252")}


def on_sheet(*rows: tuple[str, str], path: str = PLAN) -> WorkbookFacts:
    """A workbook with its own settings."""
    return WorkbookFacts(path, has_macros=True, has_wrappers=True, settings=rows)


SET_INTERPRETER = f"Set INTERPRETER_WIN in {OWN_SETTINGS} to {PYTHON}"
INSTALL_ADD_IN = f'Run "{PYTHON}" -m xlwings.cli addin install'
MACRO_SETTINGS = "File > Options > Trust Center > Trust Center Settings > Macro Settings in Excel."
AGAIN = "Install xlsizing for this Python again, as the first command of its README does."
CLEAR_BOX = 'Clear the box "Add workbook to PYTHONPATH" on the tab xlwings in Excel.'
UNBLOCK = 'Tick "Unblock" in the file\'s Properties in Explorer, and press OK.'
ONEDRIVE = HOME + r"\OneDrive - Acme"
SYNCED_PLAN = ONEDRIVE + r"\plan.xlsm"
MARK = b"[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=https://mail.example\r\n"

PYTHON_STATES = [
    State(
        "Python too old",
        windows(pythons={PYTHON: said(version=[3, 10, 4], xlwings_folder=XLWINGS)}),
        CLASSIC,
        "python",
        ("3.10.4", "3.11", PYTHON),
        "Install Python 3.11.",
    ),
    State(
        "Python does not answer",
        linux(run=lambda interpreter, script, seconds: ""),  # noqa: ARG005
        None,
        "python",
        ("said nothing",),
        "Install Python again, from python.org.",
    ),
    State(
        "package missing",
        windows(versions={"lxml": None}),
        None,
        "packages",
        ("lxml is missing", ">=5.2"),
        f'Run "{PYTHON}" -m pip install "lxml>=5.2"',
    ),
    State(
        "two packages of wrong versions",
        windows(versions={"xlwings": "1.0.0", "openpyxl": "3.1.4"}),
        None,
        "packages",
        ("xlwings is 1.0.0", "openpyxl is 3.1.4", "<1"),
        f'Run "{PYTHON}" -m pip install "openpyxl>=3.1.5,<4" "xlwings>=0.37,<1"',
    ),
    State(
        "pywin32 missing",
        windows(versions={"pywin32": None}),
        None,
        "packages",
        ("pywin32 is missing",),
        f'Run "{PYTHON}" -m pip install "pywin32>=224"',
    ),
    State(
        "appscript too old",
        mac(versions={"appscript": "1.0.0"}),
        None,
        "packages",
        ("appscript is 1.0.0",),
        f'Run "{MAC_PYTHON}" -m pip install "appscript>=1.0.1"',
    ),
    State(
        "functions do not import",
        windows(
            pythons={PYTHON: said(error="ImportError: DLL load failed", xlwings_folder=XLWINGS)}
        ),
        None,
        "functions",
        ("ImportError: DLL load failed",),
        AGAIN,
    ),
    State(
        "functions answer wrongly",
        windows(pythons={PYTHON: said(answer="'#N/A'", xlwings_folder=XLWINGS)}),
        None,
        "functions",
        ("'#N/A'", "must be 3", "NODES_REQUIRED"),
        AGAIN,
    ),
]

SETTINGS_STATES = [
    State(
        "a line without a comma",
        windows(own(f'"INTERPRETER_WIN","{PYTHON}"\r\n"LICENSE_KEY" "very-secret"\r\n')),
        None,
        "settings",
        ("Line 2", OWN_SETTINGS, "two texts in quotes"),
        'Write line 2 as "KEY","VALUE".',
    ),
    State(
        "an empty line",
        windows(own(f'"INTERPRETER_WIN","{PYTHON}"\r\n\r\n"PYTHONPATH",""\r\n')),
        None,
        "settings",
        ("Line 2", "empty"),
        "Take out line 2.",
    ),
    State(
        "a settings file with a byte-order mark",
        windows({OWN_SETTINGS: b"\xef\xbb\xbf" + f'"INTERPRETER_WIN","{PYTHON}"\r\n'.encode()}),
        None,
        "settings",
        ("byte-order mark", OWN_SETTINGS),
        f"Save {OWN_SETTINGS} as text in cp1252.",
    ),
    State(
        "a settings file in UTF-16",
        windows({OWN_SETTINGS: f'"INTERPRETER_WIN","{PYTHON}"\r\n'.encode("utf-16")}),
        None,
        "settings",
        ("byte-order mark",),
        f"Save {OWN_SETTINGS} as text in cp1252.",
    ),
    State(
        "a settings file that is no text",
        windows({OWN_SETTINGS: b'"INTERPRETER_WIN","C:\\\x81\\python.exe"\r\n'}),
        None,
        "settings",
        ("Byte 22", "cp1252"),
        f"Save {OWN_SETTINGS} as text in cp1252.",
    ),
    State(
        "a settings file on a Mac that is no UTF-8",
        mac({MAC_SETTINGS: '"INTERPRETER_MAC","/Users/joão/python"\n'.encode("latin-1")}),
        None,
        "settings",
        ("Byte 28", "utf-8", MAC_SETTINGS),
        f"Save {MAC_SETTINGS} as text in utf-8.",
    ),
    State(
        "a huge settings file",
        windows({OWN_SETTINGS: b'"KEY","VALUE"\r\n' * 100_000}),
        None,
        "settings",
        ("more than 1 MB", OWN_SETTINGS),
        f"Take out of {OWN_SETTINGS} what is no setting.",
    ),
    State(
        "a key twice on the sheet",
        windows(),
        on_sheet(("PYTHONPATH", ""), ("PythonPath", "C:\\code")),
        "settings",
        ("'PythonPath'", "twice", "on the sheet xlwings.conf of C:\\plans\\plan.xlsm"),
        "Keep one row of 'PythonPath' there.",
    ),
    State(
        "a key with a blank on the sheet",
        windows(),
        on_sheet(("INTERPRETER_WIN ", PYTHON)),
        "settings",
        ("'INTERPRETER_WIN '", "blank"),
        "Write 'INTERPRETER_WIN' there.",
    ),
]

INTERPRETER_STATES = [
    State(
        "no interpreter set",
        windows({OWN_SETTINGS: None}),
        None,
        "interpreter",
        ("No setting INTERPRETER_WIN", "PATH"),
        f'Put {PYTHON} into the field "Interpreter" of the tab xlwings in Excel.',
    ),
    State(
        "any python",
        windows(own('"INTERPRETER_WIN","pythonw"\r\n')),
        None,
        "interpreter",
        ("No setting INTERPRETER_WIN",),
        f'Put {PYTHON} into the field "Interpreter" of the tab xlwings in Excel.',
    ),
    State(
        "interpreter is not there",
        windows(own('"INTERPRETER_WIN","C:\\Old\\python.exe"\r\n')),
        None,
        "interpreter",
        (r'"C:\Old\python.exe"', "is not there", f"in {OWN_SETTINGS}"),
        SET_INTERPRETER,
    ),
    State(
        "interpreter by an unknown variable",
        windows(own('"INTERPRETER_WIN","%PYTHONHOME%\\python.exe"\r\n')),
        None,
        "interpreter",
        ("%PYTHONHOME%", "variable"),
        SET_INTERPRETER,
    ),
    State(
        "interpreter by half a path",
        windows(own('"INTERPRETER_WIN",".venv\\Scripts\\python.exe"\r\n')),
        None,
        "interpreter",
        ("not a whole path",),
        SET_INTERPRETER,
    ),
    State(
        "interpreter in quotes on the sheet",
        windows(),
        on_sheet(("INTERPRETER_WIN", f'"{PYTHON}"')),
        "interpreter",
        ("without quotes", "on the sheet xlwings.conf"),
        f"Set INTERPRETER_WIN on the sheet xlwings.conf of {PLAN} to {PYTHON}",
    ),
    State(
        "interpreter without xlsizing",
        windows(
            {**own(f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'), OTHER_PYTHON: b"MZ"},
            pythons={OTHER_PYTHON: said(error="ModuleNotFoundError: No module named 'xlsizing'")},
        ),
        None,
        "interpreter",
        (OTHER_PYTHON, "has no functions", "No module named 'xlsizing'"),
        SET_INTERPRETER,
    ),
    State(
        "interpreter too old",
        windows(
            {**own(f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'), OTHER_PYTHON: b"MZ"},
            pythons={OTHER_PYTHON: said(version=[2, 7, 18], error="SyntaxError: invalid syntax")},
        ),
        None,
        "interpreter",
        ("2.7.18", "too old"),
        SET_INTERPRETER,
    ),
    State(
        "interpreter that hangs",
        windows(
            {**own(f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'), OTHER_PYTHON: b"MZ"},
            pythons={OTHER_PYTHON: TimeoutError()},
        ),
        None,
        "interpreter",
        (OTHER_PYTHON, "no answer within 30 seconds"),
        SET_INTERPRETER,
    ),
    State(
        "interpreter that is no program",
        windows(
            {**own(f'"INTERPRETER_WIN","{OTHER_PYTHON}"\r\n'), OTHER_PYTHON: b"text"},
            pythons={OTHER_PYTHON: OSError(193, "%1 is not a valid Win32 application")},
        ),
        None,
        "interpreter",
        ("cannot be started", "not a valid Win32 application"),
        SET_INTERPRETER,
    ),
    State(
        "interpreter that leads to the store",
        windows(
            {
                **own('"INTERPRETER_WIN","%LOCALAPPDATA%\\Microsoft\\WindowsApps\\python.exe"\r\n'),
                HOME + r"\AppData\Local\Microsoft\WindowsApps\python.exe": b"",
            },
            environment={"LOCALAPPDATA": HOME + r"\AppData\Local"},
            pythons={
                HOME + r"\AppData\Local\Microsoft\WindowsApps\python.exe": "Python was not found; "
                "run without arguments to install from the Microsoft Store"
            },
        ),
        None,
        "interpreter",
        (r"WindowsApps\python.exe", "Python was not found"),
        SET_INTERPRETER,
    ),
    State(
        "conda too old or elsewhere",
        windows(own('"CONDA PATH","C:\\conda"\r\n"CONDA ENV","plans"\r\n')),
        None,
        "interpreter",
        (r"C:\conda\condabin\conda.bat", "is not there"),
        rf"Set CONDA PATH in {OWN_SETTINGS} to the folder that holds condabin\conda.bat",
    ),
    State(
        "conda environment that is not there",
        windows(
            {
                **own('"CONDA PATH","C:\\conda"\r\n"CONDA ENV","plans"\r\n'),
                r"C:\conda\condabin\conda.bat": b"",
            }
        ),
        None,
        "interpreter",
        (r"C:\conda\envs\plans\python.exe", "is not there"),
        f"Set CONDA ENV in {OWN_SETTINGS} to the environment in which xlsizing is installed.",
    ),
    State(
        "Mac's interpreter is not there",
        mac({MAC_SETTINGS: b'"INTERPRETER_MAC","$HOME/old/bin/python"\n'}),
        None,
        "interpreter",
        (MAC_HOME + "/old/bin/python", "is not there"),
        f"Set INTERPRETER_MAC in {MAC_SETTINGS} to {MAC_PYTHON}",
    ),
    State(
        "Mac's interpreter by an unknown variable",
        mac({MAC_SETTINGS: b'"INTERPRETER_MAC","$VENV/bin/python"\n'}),
        None,
        "interpreter",
        ("$VENV", "variable"),
        f"Set INTERPRETER_MAC in {MAC_SETTINGS} to {MAC_PYTHON}",
    ),
]

ADD_IN_STATES = [
    State(
        "add-in missing",
        windows({ADD_IN: None}),
        None,
        "add-in",
        (ADD_IN, r"Office16\XLSTART\xlwings.xlam"),
        INSTALL_ADD_IN,
    ),
    State(
        "add-in of another version",
        windows({ADD_IN: b"the add-in of 0.30.0"}),
        None,
        "add-in",
        (ADD_IN, "0.37.8"),
        INSTALL_ADD_IN,
    ),
    State(
        "Mac's add-in missing",
        mac({MAC_ADD_IN: None}),
        None,
        "add-in",
        (MAC_ADD_IN,),
        f'Run "{MAC_PYTHON}" -m xlwings.cli addin install',
    ),
    State(
        "DLL missing",
        windows({VENV + r"\xlwings64-0.37.8.dll": None}),
        None,
        "bridge",
        ("xlwings64-0.37.8.dll", VENV),
        f'Run "{PYTHON}" -m pip install --force-reinstall --no-deps xlwings==0.37.8',
    ),
    State(
        "DLL of another version",
        windows(
            {
                VENV + r"\xlwings64-0.37.8.dll": None,
                VENV + r"\xlwings64-0.36.0.dll": b"MZ",
            }
        ),
        None,
        "bridge",
        ("xlwings64-0.37.8.dll",),
        f'Run "{PYTHON}" -m pip install --force-reinstall --no-deps xlwings==0.37.8',
    ),
    State(
        "DLL for 32-bit Excel missing",
        windows({EXCEL: program(0x014C), VENV + r"\xlwings32-0.37.8.dll": None}),
        None,
        "bridge",
        ("xlwings32-0.37.8.dll",),
        f'Run "{PYTHON}" -m pip install --force-reinstall --no-deps xlwings==0.37.8',
    ),
    State(
        "32-bit Python has no DLL",
        windows(
            {VENV + r"\xlwings64-0.37.8.dll": None, VENV + r"\xlwings32-0.37.8.dll": None},
            pythons={PYTHON: said(bits=32, xlwings_folder=XLWINGS)},
        ),
        None,
        "bridge",
        ("xlwings64-0.37.8.dll", "64-bit Python alone", "32"),
        "Install 64-bit Python from python.org, and xlsizing in it.",
    ),
    State(
        "Mac's script missing",
        mac({MAC_SCRIPT: None}),
        None,
        "bridge",
        (MAC_SCRIPT,),
        f'Run "{MAC_PYTHON}" -m xlwings.cli runpython install',
    ),
    State(
        "Mac's script of another version",
        mac({MAC_SCRIPT: None, MAC_SCRIPT.replace("0.37.8", "0.30.0"): b""}),
        None,
        "bridge",
        (MAC_SCRIPT,),
        f'Run "{MAC_PYTHON}" -m xlwings.cli runpython install',
    ),
]

TRUST_STATES = [
    State(
        "macros off",
        windows(registry={(rf"HKEY_CURRENT_USER\{SECURITY}", "VBAWarnings"): 4}),
        None,
        "macros",
        ("no macros", "VBAWarnings is 4"),
        f'Choose "Disable VBA macros with notification" under {MACRO_SETTINGS}',
    ),
    State(
        "signed macros only",
        windows(registry={(rf"HKEY_CURRENT_USER\{SECURITY}", "VBAWarnings"): 3}),
        CLASSIC,
        "macros",
        ("signed", "VBAWarnings is 3"),
        f'Choose "Disable VBA macros with notification" under {MACRO_SETTINGS}',
    ),
    State(
        "macros off by a policy that the person's own choice cannot change",
        windows(
            registry={
                (rf"HKEY_CURRENT_USER\{SECURITY}", "VBAWarnings"): 1,
                (rf"HKEY_CURRENT_USER\{POLICIES}", "VBAWarnings"): 4,
            }
        ),
        None,
        "macros",
        ("policy", "4"),
        "Ask your administrator to let Excel ask for this workbook's macros.",
    ),
    State(
        "macros off on a Mac",
        mac(preferences={"VisualBasicMacroExecutionState": "DisabledWithoutWarnings"}),
        MAC_CLASSIC,
        "macros",
        ("DisabledWithoutWarnings",),
        'Choose "Disable all macros with notification" under Excel > Preferences > Security.',
    ),
    State(
        "functions must be imported, and may not be",
        windows(),
        WorkbookFacts(PLAN, has_macros=True),
        "project access",
        ("AccessVBOM is not set", "no functions yet"),
        f'Tick "Trust access to the VBA project object model" under {MACRO_SETTINGS}',
    ),
    State(
        "functions may not be imported by a policy",
        windows(
            registry={
                (rf"HKEY_CURRENT_USER\{SECURITY}", "AccessVBOM"): 1,
                (rf"HKEY_CURRENT_USER\{POLICIES}", "AccessVBOM"): 0,
            }
        ),
        WorkbookFacts(PLAN, has_macros=True),
        "project access",
        ("policy", "AccessVBOM is 0"),
        "Use a workbook that xlsizing template --host classic writes.",
    ),
]

WORKBOOK_STATES = [
    State(
        "workbook not there",
        linux(),
        WorkbookFacts("/home/ana/no.xlsm", fault="/home/ana/no.xlsm cannot be read: No such file."),
        "workbook",
        ("/home/ana/no.xlsm cannot be read: No such file.",),
        "Name a workbook that can be opened.",
    ),
    State(
        "marked workbook",
        windows({PLAN + ":Zone.Identifier": MARK}),
        CLASSIC,
        "mark of the web",
        ("ZoneId 3", "blocks its macros"),
        UNBLOCK,
    ),
    State(
        "workbook from a restricted site",
        windows({PLAN + ":Zone.Identifier": b"[ZoneTransfer]\nZoneId = 4"}),
        CLASSIC,
        "mark of the web",
        ("ZoneId 4",),
        UNBLOCK,
    ),
    State(
        "workbook on the web",
        windows(),
        WorkbookFacts("https://acme.sharepoint.com/sites/x/plan.xlsm"),
        "location",
        ("https://acme.sharepoint.com/sites/x/plan.xlsm", "on the web"),
        "Save a copy in a folder of this computer, and name that one.",
    ),
    State(
        "workbook in a company's OneDrive",
        windows({SYNCED_PLAN: b"PK"}, environment={"OneDriveCommercial": ONEDRIVE}),
        WorkbookFacts(SYNCED_PLAN, has_macros=True, has_wrappers=True),
        "location",
        (ONEDRIVE,),
        CLEAR_BOX,
    ),
    State(
        "workbook in a person's OneDrive, by another case of the letters",
        windows({r"D:\OneDrive\plan.xlsm": b"PK"}, environment={"onedrive": r"d:\onedrive"}),
        WorkbookFacts(r"D:\OneDrive\plan.xlsm", has_macros=True, has_wrappers=True),
        "location",
        (r"d:\onedrive",),
        CLEAR_BOX,
    ),
    State(
        "workbook in a SharePoint folder",
        windows(
            {HOME + r"\Acme\Plans - Documents\plan.xlsm": b"PK"},
            environment={"OneDriveCommercial": ONEDRIVE},
        ),
        WorkbookFacts(
            HOME + r"\Acme\Plans - Documents\plan.xlsm", has_macros=True, has_wrappers=True
        ),
        "location",
        (HOME + r"\Acme",),
        CLEAR_BOX,
    ),
    State(
        "workbook in OneDrive whose sheet adds its folder",
        windows({SYNCED_PLAN: b"PK"}, environment={"OneDriveCommercial": ONEDRIVE}),
        on_sheet(("ADD_WORKBOOK_TO_PYTHONPATH", "True"), path=SYNCED_PLAN),
        "location",
        (ONEDRIVE,),
        f"Set ADD_WORKBOOK_TO_PYTHONPATH on the sheet xlwings.conf of {SYNCED_PLAN} to false.",
    ),
    State(
        "workbook in a company's OneDrive on a Mac",
        mac({MAC_HOME + "/Library/CloudStorage/OneDrive-Acme/plan.xlsm": b"PK"}),
        WorkbookFacts(
            MAC_HOME + "/Library/CloudStorage/OneDrive-Acme/plan.xlsm",
            has_macros=True,
            has_wrappers=True,
        ),
        "location",
        ("OneDrive-Acme",),
        CLEAR_BOX,
    ),
    State(
        "a file that hides a module of Python",
        windows({r"C:\plans\statistics.py": b""}),
        CLASSIC,
        "neighbours",
        (r"C:\plans\statistics.py", "module statistics"),
        "Rename statistics.py.",
    ),
    State(
        "a folder that hides the package",
        windows({r"C:\plans\xlsizing\__init__.py": b""}),
        CLASSIC,
        "neighbours",
        (r"C:\plans\xlsizing", "module xlsizing"),
        "Rename xlsizing.",
    ),
]

STATES = [
    *PYTHON_STATES,
    *SETTINGS_STATES,
    *INTERPRETER_STATES,
    *ADD_IN_STATES,
    *TRUST_STATES,
    *WORKBOOK_STATES,
]
