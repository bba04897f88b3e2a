"""What stands in the way of a sync is one sentence, and then nothing at all is touched."""

import json
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from tests.book.plans import the_template
from tests.book.sync.crashing import ADDED, NAME, Place, made_place
from tests.book.sync.features import sign
from tests.book.sync.packages import Package
from tests.book.sync.warm import Run, Warm, warm_process
from tests.book.sync.written import written_notes
from tests.conftest import PROJECT
from xlsizing.book import saving
from xlsizing.book.sync import syncing
from xlsizing.cli import main

COMPOUND_FILE = bytes.fromhex("D0CF11E0A1B11AE1")
State = dict[str, tuple[int, ...]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = made_place(tmp_path, written_notes())
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def sync(place: Place, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Syncs workbooks, the one of the place where none is named."""

    def run(*arguments: str) -> Run:
        named = "--" in arguments or not all(each.startswith("--") for each in arguments)
        given = ["sync", "--catalogs", str(place.catalogs), *arguments, *([] if named else [NAME])]
        code = main(given)
        return Run(code, *capsys.readouterr())

    return run


def state(folder: Path) -> State:
    """All that shows whether a folder or a file in it was touched."""
    return {
        path.name: (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode, found.st_nlink)
        for path in (folder, *folder.iterdir())
        for found in [path.lstat()]
    }


def require_refused(done: Run, *words: str) -> None:
    """It ended with 2 and one sentence with these words."""
    assert done.code == 2
    assert re.fullmatch(r"[^\n]+ \w+ [^\n]*[.?]\n", done.errors), done.errors
    assert all(word in done.errors for word in words), done.errors
    assert "Synced" not in done.output


@pytest.mark.parametrize("option", ["--backup", "--force", "--prune"])
@pytest.mark.parametrize(
    ("lock", "program"), [("~$plan.xlsx", "Excel"), (".~lock.plan.xlsx#", "LibreOffice")]
)
def test_open_in_a_program(
    place: Place, sync: Callable[..., Run], lock: str, program: str, option: str
) -> None:
    (place.folder / lock).write_bytes(b"its user")
    before = state(place.folder)
    require_refused(sync(option), NAME, f"open in {program}", lock)
    assert state(place.folder) == before
    (place.folder / lock).unlink()
    assert sync().code == 0


@pytest.mark.parametrize("beside", ["link", "file"])
def test_open_in_a_program_under_another_name(
    place: Place, sync: Callable[..., Run], tmp_path: Path, beside: str
) -> None:
    link = tmp_path / "shared.xlsx"
    link.symlink_to(place.workbook)
    lock = place.folder / f"~${NAME}" if beside == "file" else tmp_path / "~$shared.xlsx"
    lock.write_bytes(b"its user")
    require_refused(sync(str(link)), "shared.xlsx", "open in Excel", lock.name)
    assert place.is_old()


def test_check_is_no_matter_of_locks(place: Place, sync: Callable[..., Run]) -> None:
    (place.folder / f"~${NAME}").write_bytes(b"its user")
    assert sync("--check").code == 1


def test_read_only_file(place: Place, sync: Callable[..., Run]) -> None:
    place.workbook.chmod(0o444)
    before = state(place.folder)
    require_refused(sync("--backup"), NAME, "read-only")
    assert state(place.folder) == before


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no other user to be: os.seteuid is missing")
def test_read_only_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        place = made_place(Path(root), written_notes())
        place.workbook.chmod(0o666)
        command = ["sync", str(place.workbook), "--catalogs", str(place.catalogs), "--backup"]
        assert main([*command, "--check"]) == 1  # imports what nobody may read
        capsys.readouterr()
        place.folder.chmod(0o555)
        before, user = state(place.folder), os.geteuid()
        if not user:
            os.seteuid(65_534)
        try:
            code = main(command)
        finally:
            os.seteuid(user)
        done = Run(code, *capsys.readouterr())
        require_refused(done, str(place.workbook), str(place.folder), os.strerror(13))
        assert state(place.folder) == before
        place.folder.chmod(0o755)


def saved_in_place(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def saved_anew(path: Path) -> None:
    other = path.with_name("other")
    shutil.copyfile(path, other)
    other.replace(path)


def written_in_the_same_length(path: Path) -> None:
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")


@pytest.mark.parametrize("when", ["as it is read", "as the new file is written"])
@pytest.mark.parametrize("save", [saved_in_place, saved_anew, written_in_the_same_length])
def test_changed_by_another_program(
    place: Place,
    sync: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    save: Callable[[Path], None],
    when: str,
) -> None:
    step = "sync_of" if when == "as it is read" else "write_copy"
    original = getattr(syncing, step)
    theirs: list[bytes] = []

    def interfere(*arguments: Any, **named: Any) -> Any:
        done = original(*arguments, **named)
        save(place.workbook)
        theirs.append(place.workbook.read_bytes())
        return done

    monkeypatch.setattr(syncing, step, interfere)
    require_refused(sync(), NAME, "changed by another program")
    assert [place.workbook.read_bytes()] == theirs
    assert not place.left()


@pytest.mark.parametrize("option", ["--backup", "--force"])
def test_deleted_meanwhile(
    place: Place, sync: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    original = syncing.sync_of

    def interfere(*arguments: Any, **named: Any) -> Any:
        done = original(*arguments, **named)
        place.workbook.unlink()
        return done

    monkeypatch.setattr(syncing, "sync_of", interfere)
    require_refused(sync(option), NAME, "deleted")
    assert list(place.folder.iterdir()) == []


def test_link_stays_a_link(place: Place, sync: Callable[..., Run], tmp_path: Path) -> None:
    link = tmp_path / "shared.xlsx"
    link.symlink_to(place.workbook)
    assert sync(str(link), "--backup").code == 0
    assert link.is_symlink()
    assert not place.is_old()
    assert [path.name for path in tmp_path.iterdir() if "bak" in path.name] == []
    assert (place.folder / f"{NAME}.bak").read_bytes() == place.old
    assert not (place.folder / f"{NAME}.bak").is_symlink()


def test_hard_links_are_told(place: Place, sync: Callable[..., Run]) -> None:
    other = place.folder / "other.xlsx"
    other.hardlink_to(place.workbook)
    assert "hard links" in sync("--check").output
    assert "hard links" in sync().output
    assert other.read_bytes() == place.old
    assert not place.is_old()
    assert "hard links" not in sync().output


def test_rights_owner_and_labels_are_kept(place: Place, sync: Callable[..., Run]) -> None:
    path = place.workbook
    path.chmod(0o640)
    owner = (path.stat().st_uid, path.stat().st_gid)
    if hasattr(os, "geteuid") and not os.geteuid():
        owner = (1234, 4321)
        os.chown(path, *owner)
    label = b""
    if hasattr(os, "setxattr"):
        try:
            os.setxattr(path, "user.xlsizing", b"reviewed")
            label = b"reviewed"
        except OSError:
            pass  # a file system without labels
    assert sync("--backup").code == 0
    assert not place.is_old()
    for each in (path, path.with_name(f"{NAME}.bak")):
        found = each.stat()
        assert stat.S_IMODE(found.st_mode) == 0o640
        assert (found.st_uid, found.st_gid) == owner
        if label:
            assert os.getxattr(each, "user.xlsizing") == label


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_rights_of_a_group_are_for_no_other_group(
    place: Place, sync: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(place.workbook, 0, 4321)
    place.workbook.chmod(0o664)

    def not_let(*_: object) -> None:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(os, "chown", not_let)
    assert sync().code == 0
    assert stat.S_IMODE(place.workbook.stat().st_mode) == 0o644


def test_copies_never_replace_older_ones(place: Place, sync: Callable[..., Run]) -> None:
    (place.folder / f"{NAME}.bak").write_bytes(b"oldest")
    (place.folder / f"{NAME}.bak2").symlink_to("nowhere")
    time_of_old = place.workbook.stat().st_mtime_ns
    done = sync("--backup")
    assert f"{NAME}.bak3" in done.output
    assert (place.folder / f"{NAME}.bak").read_bytes() == b"oldest"
    assert (place.folder / f"{NAME}.bak2").readlink() == Path("nowhere")
    assert (place.folder / f"{NAME}.bak3").read_bytes() == place.old
    assert (place.folder / f"{NAME}.bak3").stat().st_mtime_ns == time_of_old
    assert place.workbook.stat().st_mtime_ns > time_of_old
    place.workbook.write_bytes(b"")
    assert sync("--backup").code == 2
    assert len(list(place.folder.glob("*.bak*"))) == 3


def test_one_failure_does_not_stop_the_rest(place: Place, sync: Callable[..., Run]) -> None:
    names = ["a.xlsx", "b.xlsx", "c.xlsx", "d.xlsx"]
    for name in names:
        (place.folder / name).write_bytes(place.old)
    (place.folder / "b.xlsx").chmod(0o444)
    (place.folder / "c.xlsx").write_bytes(place.old[:5000])
    place.workbook.unlink()
    done = sync(*names, "missing.xlsx", ".")
    assert done.code == 2
    refusals = done.errors.splitlines()
    assert [line.partition(" ")[0] for line in refusals] == [
        "b.xlsx",
        "c.xlsx",
        "missing.xlsx",
        ".",
    ]
    assert "is a folder" in refusals[-1]
    assert done.output.splitlines()[-1] == "6 workbooks: 2 synced, 4 failed."
    synced = [name for name in names if (place.folder / name).read_bytes() != place.old]
    assert synced == ["a.xlsx", "c.xlsx", "d.xlsx"]
    assert (place.folder / "c.xlsx").read_bytes() == place.old[:5000]


def test_workbook_named_twice_is_synced_once(place: Place, sync: Callable[..., Run]) -> None:
    (place.folder / "link.xlsx").symlink_to(NAME)
    assert sync(NAME, f"./{NAME}", "link.xlsx", "--check").output.count(ADDED) == 1
    done = sync(NAME, f"./{NAME}", "link.xlsx", "--backup")
    assert done.code == 0
    assert done.output.count("Synced") == 1
    assert len(list(place.folder.glob("*.bak*"))) == 1


def test_patterns_are_resolved(place: Place, sync: Callable[..., Run]) -> None:
    (place.folder / "other.xlsx").write_bytes(place.old)
    (place.folder / "~$third.xlsx").write_bytes(b"not a workbook")
    done = sync("*.xlsx")
    assert (done.code, done.errors) == (0, "")
    assert done.output.endswith("2 workbooks: 2 synced.\n")
    require_refused(sync("*.xlsm"), "*.xlsm", "No such file")


def test_name_like_a_pattern_is_that_file(place: Place, sync: Callable[..., Run]) -> None:
    named, matching = place.folder / "plan [1].xlsx", place.folder / "plan 1.xlsx"
    named.write_bytes(place.old)
    matching.write_bytes(place.old)
    assert sync(named.name).code == 0
    assert named.read_bytes() != place.old
    assert matching.read_bytes() == place.old


@pytest.mark.parametrize("options", [("--check",), ("--check", "--backup", "--prune", "--force")])
def test_check_writes_nothing(
    place: Place, sync: Callable[..., Run], options: tuple[str, ...]
) -> None:
    before = state(place.folder)
    done = sync(*options)
    assert (done.code, done.errors) == (1, "")
    assert ADDED in done.output
    assert state(place.folder) == before


def test_current_workbook_is_not_touched(place: Place, sync: Callable[..., Run]) -> None:
    assert sync().code == 0
    before = state(place.folder)
    done = sync("--backup")
    assert (done.code, done.output) == (0, f"{NAME}: up to date\n")
    assert state(place.folder) == before


def test_signed_workbook_is_forced_alone(place: Place, sync: Callable[..., Run]) -> None:
    package = Package(place.old)
    sign(package)
    place.workbook.write_bytes(package.packed())
    before = state(place.folder)
    require_refused(sync("--backup"), NAME, "signed", "--force")
    assert state(place.folder) == before
    done = sync("--force")
    assert done.code == 0
    assert "signature" in done.output


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (COMPOUND_FILE + bytes(5000) + "EncryptedPackage".encode("utf-16-le"), "password"),
        (COMPOUND_FILE + bytes(5000), ".xls"),
        (b"", "empty"),
        (b"Name;Layers\n", "text file"),
    ],
    ids=["password", "old", "empty", "text"],
)
def test_other_files_stay(
    place: Place, sync: Callable[..., Run], content: bytes, word: str
) -> None:
    place.workbook.write_bytes(content)
    before = state(place.folder)
    require_refused(sync("--backup", "--force"), NAME, word)
    assert state(place.folder) == before


def test_workbook_without_catalogs_stays(place: Place, sync: Callable[..., Run]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(place.workbook) as book:
        book.add_worksheet("Ours")
    before = state(place.folder)
    require_refused(sync("--backup", "--force"), NAME, "no catalog tables")
    assert state(place.folder) == before


@pytest.mark.parametrize(
    "name",
    [
        "a plan with blanks .xlsx",
        "プラン é 🧮.xlsx",
        "-plan.xlsx",
        "--check",
        "line\nbreak.xlsx",
        f"{'x' * 250}.xlsx",
        f"{'é' * 125}.xlsx",
    ],
    ids=["blanks", "unicode", "dash", "option", "line break", "255 bytes", "255 bytes of unicode"],
)
def test_names(place: Place, sync: Callable[..., Run], name: str) -> None:
    path = place.workbook.rename(place.folder / name)
    done = sync("--", name)
    assert (done.code, done.errors) == (0, "")
    assert path.read_bytes() != place.old
    assert list(place.folder.iterdir()) == [path]


def test_name_with_no_room_for_that_of_a_copy(place: Place, sync: Callable[..., Run]) -> None:
    path = place.workbook.rename(place.folder / f"{'x' * 250}.xlsx")
    require_refused(sync("--backup", path.name), path.name, os.strerror(36))
    assert path.read_bytes() == place.old
    assert list(place.folder.iterdir()) == [path]


def test_what_a_killed_run_left_goes_when_it_is_old(
    place: Place, sync: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    left, own = place.folder / ".xlsizing-abc.tmp", place.folder / ".xlsizing-notes.txt"
    for path in (left, own):
        path.write_bytes(b"half a workbook")
    assert sync().code == 0
    assert left.exists(), "another run may be writing it"
    place.workbook.write_bytes(place.old)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3_700)
    assert sync("--check").code == 1
    assert left.exists(), "nothing is written for --check"
    assert sync().code == 0
    assert not left.exists()
    assert own.exists()


def test_rows_are_in_the_file_before_they_are_pruned(
    place: Place, sync: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Package(the_template())
    servers = package.table_cells("Servers")
    name = servers.cells("Name").partition(":")[0].replace("$", "")
    package.write(servers.sheet, {name: "our-own-server"})
    place.workbook.write_bytes(package.packed())
    pulled = place.folder / "rows.json"
    replace = saving.replace_workbook
    seen: list[str] = []

    def watched(*arguments: Any, **named: Any) -> Path | None:
        seen.append(pulled.read_text(encoding="utf-8"))
        return replace(*arguments, **named)

    monkeypatch.setattr(syncing, "replace_workbook", watched)
    done = sync("--prune", f"--pull={pulled}")
    assert done.code == 0
    (before,) = seen
    assert [each["name"] for each in json.loads(before)["servers"]] == ["our-own-server"]
    assert pulled.read_text(encoding="utf-8") == before
    assert "1 entry" in done.errors


def test_rows_that_no_file_can_hold_are_not_pruned(place: Place, sync: Callable[..., Run]) -> None:
    # It has no column that says the kind of attention, without which no row is an entry.
    models = place.catalogs / "models.json"
    document = json.loads(models.read_text(encoding="utf-8"))
    gone = document["models"].pop(0)["name"]
    models.write_text(json.dumps(document), encoding="utf-8")
    done = sync("--prune", "--pull=rows.json", "--backup")
    assert done.code == 2
    refusal = done.errors.splitlines()[0]
    assert all(word in refusal for word in (NAME, "not pruned", gone, "rows.json"))
    assert place.is_old()
    assert sorted(path.name for path in place.folder.iterdir()) == [NAME, "rows.json"]
    assert sync("--prune").code == 0
    assert not place.is_old()


@pytest.fixture
def two_terminals() -> Iterator[tuple[int, int]]:
    pty = pytest.importorskip("pty", reason="no terminals of one's own here: pty is missing")
    terminal, end = pty.openpty()
    yield terminal, end
    os.close(terminal)


@pytest.mark.parametrize("on_terminal", [True, False])
def test_bar_is_for_terminals(
    place: Place, two_terminals: tuple[int, int], on_terminal: bool
) -> None:
    (place.folder / "other.xlsx").write_bytes(place.old)
    terminal, end = two_terminals
    command = [sys.executable, "-m", "xlsizing", "sync", "other.xlsx", *place.command()[1:]]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TERM": "xterm"}
    with Popen(
        command, stdout=PIPE, stderr=end if on_terminal else PIPE, env=environment, text=True
    ) as process:
        os.close(end)
        output, errors = process.communicate(timeout=60)
    shown = ""
    while on_terminal:
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # Linux says so that there is no more
            break
        if not read:
            break
        shown += read.decode()
    assert process.returncode == 0
    assert ("Workbooks" in shown) == on_terminal
    assert not errors
    assert output.endswith("2 workbooks: 2 synced.\n")
    assert ADDED in output


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="forks of a warm process need Linux")
def test_two_at_once_leave_one_whole_workbook(tmp_path: Path) -> None:
    place = made_place(tmp_path, written_notes())
    command = place.command("--backup")
    with warm_process(*command[:1], str(place.workbook), *command[2:]) as one:
        place = place.made()
        with warm_process("sync", str(place.workbook), "--catalogs", str(place.catalogs)) as other:
            lost: list[str] = []
            refused = 0
            for _ in range(30):
                place.restore()
                done = at_once(lambda warm: warm.run(command, place.folder), one, other)
                codes = sorted(run.code for run in done)
                refused += codes == [0, 2]
                if codes not in ([0, 0], [0, 2]) or not place.is_new():
                    lost.append(f"they ended with {done}")
                for run in done:
                    if run.code:
                        require_refused(run, NAME, "changed by another program")
                lost += place.faults()
                if refused == 3:
                    break
            assert not lost
            assert refused, "they never met"


def at_once(run: Callable[[Warm], Run], *processes: Warm) -> list[Run]:
    """What becomes of a run in each of the processes at the same time."""
    with ThreadPoolExecutor(len(processes)) as threads:
        return list(threads.map(run, processes))
