"""What the checks take for granted of xlwings stands in the xlwings that is installed."""

from pathlib import Path

import pytest
import xlwings

PACKAGE = Path(xlwings.__file__).parent


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        (
            "addin/Config.bas",
            [
                # The person's file, the sheet, and the order of the places.
                'Environ("USERPROFILE") & "\\." & PROJECT_NAME & "\\" & PROJECT_NAME & ".conf"',
                "~/Library/Containers/com.microsoft.Excel/Data/xlwings.conf",
                'wb.Sheets(PROJECT_NAME & ".conf")',
                "sheet -> directory -> user -> default",
                "d.Add UCase(cell.Value), cell.Offset(0, 1).Value",
                "Input #iFileNum, sVarName, sVarValue",
                "If LCase(sVarName) = LCase(sName) Then",
                "GetDirectoryPath(ActiveWorkbook) & pathSeparator & PROJECT_NAME",
            ],
        ),
        (
            "addin/Main.bas",
            [
                'PROJECT_NAME As String = "xlwings"',
                # The Python that Excel starts.
                'GetConfig("INTERPRETER_MAC", "")',
                'GetConfig("INTERPRETER_WIN", "")',
                'GetConfig("INTERPRETER", "pythonw")',
                'CondaPath & "\\envs\\" & CondaEnv & "\\" & PYTHON_WIN',
                'CondaEnv & "\\" & PYTHON_WIN',
                'If CondaEnv = "base" Then',
                # What connects it, and where that is looked for.
                'Lib "xlwings64-',
                'Lib "xlwings32-',
                'LoadLibrary(ParentFolder(PYTHON_WIN) + "\\" + XLPyDLLName)',
                'LoadLibrary(ParentFolder(ParentFolder(PYTHON_WIN)) + "\\" + XLPyDLLName)',
                'AppleScriptTask("xlwings-" & XLWINGS_VERSION & ".applescript"',
                # Whether the workbook's folder is looked into for modules.
                'GetConfig("ADD_WORKBOOK_TO_PYTHONPATH", "true")',
            ],
        ),
        (
            "addin/Utils.bas",
            [
                'CondaPath & "\\condabin\\conda.bat"',
                *('Case "$HOME"', 'Case "$APPLICATIONS"', 'Case "$DOCUMENTS"'),
                *('Case "$DOWNLOADS"', 'Case "$DESKTOP"'),
                "WScript.ExpandEnvironmentStrings(s)",
            ],
        ),
        ("addin/RibbonXlwings.bas", ["GetInterpreter", "ChangeAddDirToPath"]),
        (
            "cli.py",
            [
                'os.path.join(this_dir, "addin", "xlwings.xlam")',
                "shutil.copyfile(addin_source_path, addin_target_path)",
                '"/Library/Application Scripts/com.microsoft.Excel"',
                'f"xlwings-{xw.__version__}.applescript"',
                'if __name__ == "__main__":',
                "def runpython_install",
                "def addin_install",
            ],
        ),
        (
            "utils.py",
            [
                'if args[0].lower() == "true":',
                "paths += [str(fullname.parent)",
                "sys.path[0:0] = list(set(paths))",
                'os.getenv("OneDriveCommercial").replace("OneDrive - ", "")',
                '"ONEDRIVE_CONSUMER_WIN"',
                '"ONEDRIVE_COMMERCIAL_MAC"',
                '"SHAREPOINT_WIN"',
                '"CloudStorage" / "OneDrive-Personal"',
                'os.getenv("OneDriveConsumer")',
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_sources_say_so(file: str, parts: list[str]) -> None:
    text = (PACKAGE / file).read_text(encoding="utf-8")
    for part in parts:
        assert part in text


def test_the_files_that_are_installed_are_in_the_package() -> None:
    assert (PACKAGE / f"xlwings-{xlwings.__version__}.applescript").exists()
    assert (PACKAGE / "addin" / "xlwings.xlam").exists()
