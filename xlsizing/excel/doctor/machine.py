"""A machine as the checks see it, so that a made-up one can be examined like a real one."""

import ntpath
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

WINDOWS, MAC = "win32", "darwin"


class Files(Protocol):
    """The files of a machine; whatever may not be looked at raises OSError."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""

    def names(self, folder: str) -> Sequence[str]:
        """The names in a folder."""

    def read(self, path: str, most: int) -> bytes:
        """The first `most` bytes of a file, or of a stream of it such as plan.xlsm:Name."""


@dataclass(frozen=True)
class Machine:
    """What the checks may know of a machine."""

    platform: str
    """As sys.platform says it: win32, darwin, linux."""
    executable: str
    """The Python that runs the checks."""
    environment: Mapping[str, str]
    home: str
    """The person's own folder."""
    encoding: str
    """How programs that know no Unicode, among them VBA, read a text file."""
    files: Files
    version_of: Callable[[str], str | None]
    """The version of an installed package, in the Python that runs the checks."""
    registry: Callable[[str, str], object]
    """Value of a key of the Windows registry by its name ("" for the default one), else None."""
    preference: Callable[[str], str]
    """Value of a preference of Office for Mac (domain com.microsoft.office), else empty."""
    run: Callable[[str, str, float], str]
    """What a Python prints, given its path, a script and seconds to wait.

    Raises OSError where it cannot be started, and TimeoutError where it does not end.
    """

    @property
    def paths(self) -> ModuleType:
        """The module that knows how paths are written on this machine."""
        return ntpath if self.platform == WINDOWS else posixpath

    def variable(self, name: str) -> str:
        """An environment variable, or nothing; Windows knows no case in their names."""
        if self.platform != WINDOWS:
            return self.environment.get(name, "")
        upper = {key.upper(): value for key, value in self.environment.items()}
        return upper.get(name.upper(), "")

    def path(self, *parts: str) -> str:
        """A path of this machine."""
        joined: str = self.paths.join(*parts)
        return joined

    def folder_of(self, path: str) -> str:
        """The folder in which a file is."""
        folder: str = self.paths.dirname(path)
        return folder

    def is_same_path(self, one: str, other: str) -> bool:
        """Whether two paths are written alike but for case, slashes and dots."""
        return self._written(one) == self._written(other)

    def is_below(self, path: str, folder: str) -> bool:
        """Whether a path leads into a folder."""
        return self._written(path).startswith(self._written(folder).rstrip("\\/") + self.paths.sep)

    def _written(self, path: str) -> str:
        written: str = self.paths.normcase(self.paths.normpath(path))
        return written
