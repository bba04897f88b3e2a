"""Pictures of every sheet of a workbook as it opens on a screen of 1366 x 768, by LibreOffice.

    python docs/screens.py WORKBOOK.xlsx FOLDER

Needs LibreOffice Calc, Xvfb and ImageMagick's import. Each sheet is opened in a copy of the
workbook that has it in front.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

SCREEN, DISPLAY = "1366x768", ":83"
SECONDS_TO_OPEN = 12


def titles(content: bytes) -> list[str]:
    """The titles of a workbook's sheets."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        workbook = package.read("xl/workbook.xml").decode()
    return re.findall(r'<sheet [^>]*name="([^"]+)"', workbook)


def with_sheet_in_front(content: bytes, number: int) -> bytes:
    """A workbook that opens on its sheet of a number, from 0."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as copy:
        for part in source.namelist():
            text = source.read(part)
            if part == "xl/workbook.xml":
                view = f'<workbookView activeTab="{number}"/>'.encode()
                text = re.sub(rb"<workbookView[^>]*/>", view, text)
            elif part.startswith("xl/worksheets/sheet"):
                text = re.sub(rb' tabSelected="(1|true)"', b"", text)
            copy.writestr(part, text)
    return target.getvalue()


def shoot(workbook: Path, picture: Path, profile: Path) -> None:
    """Open a workbook on the virtual screen and take a picture of that."""
    office = subprocess.Popen(
        [
            shutil.which("soffice") or "soffice",
            "--norestore",
            "--nologo",
            f"-env:UserInstallation=file://{profile}",
            str(workbook),
        ],
        env={**os.environ, "DISPLAY": DISPLAY, "SAL_USE_VCLPLUGIN": "gen"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(SECONDS_TO_OPEN)
    take = [
        "import",
        "-display",
        DISPLAY,
        "-window",
        "root",
        "+dither",
        "-colors",
        "40",
        str(picture),
    ]
    subprocess.run(take, check=True)
    os.killpg(office.pid, signal.SIGKILL)
    office.wait()


def main() -> None:
    """Take the picture of every sheet, once more at first so that LibreOffice has its profile."""
    content, folder = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
    screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", f"{SCREEN}x24"])
    with tempfile.TemporaryDirectory() as temporary:
        names = titles(content)
        for number, title in enumerate([names[0], *names]):
            name = f"screen-{title.lower()}"
            copy = Path(temporary) / f"{number}-{name}.xlsx"
            copy.write_bytes(with_sheet_in_front(content, max(0, number - 1)))
            shoot(copy, folder / f"{name}.png", Path(temporary) / "profile")
    screen.terminate()


if __name__ == "__main__":
    main()
