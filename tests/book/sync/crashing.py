"""A workbook and catalogs that change it, and what must hold however a sync of it ends."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import NamedTuple

from tests.conftest import PROJECT

NAME, ADDED = "plan.xlsx", "a-new-model"


class Place(NamedTuple):
    """A folder with nothing but a workbook, and catalogs elsewhere that change it."""

    folder: Path
    catalogs: Path
    old: bytes
    new: str
    """The digest of the workbook after a sync."""

    @property
    def workbook(self) -> Path:
        """The workbook."""
        return self.folder / NAME

    def command(self, *options: str) -> list[str]:
        """The command that syncs it."""
        return ["sync", NAME, "--catalogs", str(self.catalogs), *options]

    def restore(self) -> None:
        """Leave the workbook as it was, and nothing else."""
        for path in self.folder.iterdir():
            path.unlink()
        self.workbook.write_bytes(self.old)

    def is_old(self) -> bool:
        """Whether the workbook is byte for byte as it was."""
        return self.workbook.read_bytes() == self.old

    def is_new(self) -> bool:
        """Whether it is byte for byte what a sync makes of it."""
        return digest(self.workbook.read_bytes()) == self.new

    def made(self) -> "Place":
        """The place, where a sync has just been seen to do what it should."""
        return self._replace(new=digest(self.workbook.read_bytes()))

    def left(self) -> list[Path]:
        """What is beside the workbook but a copy of it as it was."""
        return [
            path for path in self.folder.iterdir() if path.name != NAME and ".bak" not in path.name
        ]

    def faults(self, most_left: int = 0) -> list[str]:
        """What is lost or left, in words, but for as many temporary files."""
        found = []
        if not (self.workbook.exists() and (self.is_old() or self.is_new())):
            found.append("the workbook is neither the old one nor the new one")
        found += [
            f"{copy.name} is not the old workbook"
            for copy in self.folder.glob("*.bak*")
            if copy.read_bytes() != self.old
        ]
        left = self.left()
        if len(left) > most_left or not all(path.match(".xlsizing-*.tmp") for path in left):
            found.append(f"left: {[path.name for path in left]}")
        return found


def digest(content: bytes) -> str:
    """What tells one file from another."""
    return hashlib.sha256(content).hexdigest()


def changed_catalogs(folder: Path) -> Path:
    """The project's catalogs with one model more, in a folder."""
    shutil.copytree(PROJECT / "catalogs", folder)
    models = folder / "models.json"
    document = json.loads(models.read_text(encoding="utf-8"))
    document["models"].append({**document["models"][0], "name": ADDED, "aliases": []})
    models.write_text(json.dumps(document), encoding="utf-8")
    return folder


def made_place(root: Path, content: bytes) -> Place:
    """A folder with a workbook that the project's catalogs were not yet in.

    Parameters
    ----------
    root : where the folder and the catalogs go.
    content : the workbook.
    """
    folder = root / "plans"
    folder.mkdir()
    place = Place(folder, changed_catalogs(root / "catalogs"), content, "")
    place.restore()
    return place
