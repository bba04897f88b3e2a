"""How long a sync of a large workbook takes, beside Python's zipfile reading it through once.

The workbook is a planning workbook with a million other cells, some 20 MB. Each command runs
in a process of its own, as people run it; the least of some runs counts, and the most memory.
The same without the other cells tells what of the cost the workbook's size is.

    python bench/sync_large.py [CELLS]
"""

import io
import os
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from xlsizing.book.build import template
from xlsizing.catalog import load_catalogs
from xlsizing.catalog.writing import documents
from xlsizing.core import Catalogs

CELLS, COLUMNS, RUNS = 1_000_000, 10, 5
_PART = "xl/worksheets/sheet99.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


CHANGES = (
    "nothing new",
    "an entry added to each",
    "ten notes changed",
    "a server changed that plans use",
    "a server removed",
)


def changes(catalogs: Catalogs) -> tuple[Catalogs, ...]:
    """What the catalogs may have become since the workbook was made, as CHANGES calls it."""
    model, server = catalogs.models[0], catalogs.servers[0]
    used = next(each for each in catalogs.servers if each.name == "dgx-b300")
    half = replace(
        used,
        hbm_per_gpu_gb=144,
        total_hbm_gb=None,
        hbm_per_gpu_mib=None,
        usable_hbm_per_gpu_bytes=None,
    )
    return (
        catalogs,
        Catalogs(
            (*catalogs.models, replace(model, name="one-more", aliases=())),
            (*catalogs.servers, replace(server, name="one-more", aliases=())),
            catalogs.profiles,
        ),
        catalogs._replace(
            models=(
                *(replace(m, notes="New.") for m in catalogs.models[:10]),
                *catalogs.models[10:],
            )
        ),
        catalogs._replace(
            servers=tuple(half if each is used else each for each in catalogs.servers)
        ),
        catalogs._replace(servers=catalogs.servers[:-1]),
    )


def with_cells(content: bytes, count: int) -> bytes:
    """A workbook with another sheet, of so many cells."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    parts[_PART] = b"".join(_sheet(count))
    for part, before, more in (
        (
            "[Content_Types].xml",
            b"</Types>",
            f'<Override PartName="/{_PART}" ContentType="{_SHEET}"/>',
        ),
        (
            "xl/_rels/workbook.xml.rels",
            b"</Relationships>",
            f'<Relationship Id="rId99" Type="{_RELATION}/worksheet" Target="{_PART[3:]}"/>',
        ),
        (
            "xl/workbook.xml",
            b"</sheets>",
            f'<sheet name="Other cells" sheetId="99" xmlns:r="{_RELATION}" r:id="rId99"/>',
        ),
    ):
        parts[part] = parts[part].replace(before, more.encode() + before)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part_content in parts.items():
            package.writestr(name, part_content)
    return packed.getvalue()


def _sheet(count: int) -> Iterator[bytes]:
    """A sheet of numbers as people's data have them, and texts."""
    chosen = random.Random(1)
    yield f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
    for row in range(1, count // COLUMNS + 1):
        cells = [
            f'<c r="{chr(65 + at)}{row}"><v>{chosen.random() * 10**9!r}</v></c>'
            for at in range(COLUMNS - 1)
        ]
        text = f"item {chosen.getrandbits(400):x}"
        cells.append(f'<c r="J{row}" t="inlineStr"><is><t>{text}</t></is></c>')
        yield f'<row r="{row}">{"".join(cells)}</row>'.encode()
    yield b"</sheetData></worksheet>"


def run(*command: str) -> tuple[float, float]:
    """Seconds and MiB of a command in a process of its own."""
    start = time.perf_counter()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, *command],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    return time.perf_counter() - start, used.ru_maxrss / 1024


def best(measure: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """The least seconds of some runs, and the most memory."""
    seconds, memory = zip(*(measure() for _ in range(RUNS)), strict=True)
    return min(seconds), max(memory)


def compare(original: Path, work: Path) -> None:
    """Print what a sync costs with each change, beside reading the file through once."""
    copy = work / "plan.xlsx"
    read, _ = best(lambda: run("-m", "zipfile", "-t", str(original)))
    print(f"{original.stat().st_size / 10**6:.1f} MB; zipfile -t: {read:.2f} s")
    for number, name in enumerate(CHANGES):

        def sync(number: int = number) -> tuple[float, float]:
            shutil.copyfile(original, copy)
            return run("-m", "xlsizing", "sync", str(copy), "--catalogs", str(work / str(number)))

        seconds, memory = best(sync)
        print(f"  {name:<32} {seconds:.2f} s  {seconds / read:4.1f} x  {memory:4.0f} MiB")


def prepare(work: Path, count: int) -> None:
    """Write the workbooks and the folders of catalogs."""
    catalogs = load_catalogs()
    for number, changed in enumerate(changes(catalogs)):
        folder = work / str(number)
        folder.mkdir()
        for file, text in documents(changed).items():
            (folder / file).write_text(text, encoding="utf-8")
    plan = template(catalogs)
    (work / "small.xlsx").write_bytes(plan)
    (work / "large.xlsx").write_bytes(with_cells(plan, count))


def main() -> None:
    """Print the costs with the other cells, and without."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CELLS
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        # In a process of its own: what a process takes to start counts what its parent had.
        child = os.fork()
        if not child:
            prepare(work, count)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        for workbook in ("large.xlsx", "small.xlsx"):
            compare(work / workbook, work)


if __name__ == "__main__":
    main()
