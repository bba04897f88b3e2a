"""The machine that runs the checks. Everything here reads; nothing writes or connects."""

import locale
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from xlsizing.catalog.loading import FOLDER_VARIABLE
from xlsizing.excel.doctor.machine import MAC, Machine

SECONDS_OF_DEFAULTS = 10
"""How long the Mac's own program for preferences may take [s]."""


def this_machine() -> Machine:
    """The machine that runs this."""
    return Machine(
        platform=sys.platform,
        executable=sys.executable,
        environment=dict(os.environ),
        home=os.path.expanduser("~"),
        encoding=locale.getencoding(),
        files=RealFiles(),
        version_of=_version_of,
        registry=registry_value,
        preference=_preference,
        run=python_output,
    )


class RealFiles:
    """The files of this machine."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return S_ISREG(_mode(path))

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""
        return S_ISDIR(_mode(path))

    def names(self, folder: str) -> Sequence[str]:
        """The names in a folder."""
        return os.listdir(folder)

    def read(self, path: str, most: int) -> bytes:
        """The first `most` bytes of a file, or of a stream of it."""
        with Path(path).open("rb") as file:
            return file.read(most)


def _mode(path: str) -> int:
    """What a path leads to, as the system says it; 0 where it leads nowhere."""
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return 0  # ValueError: no path can be written so


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def python_output(interpreter: str, script: str, seconds: float) -> str:
    """What a Python prints to a script; see `Machine.run`.

    It starts in its own folder, as RunPython of xlwings does, so that no module of the
    present folder is imported; and with the shipped catalogs, whose answers are known.
    """
    environment = {key: value for key, value in os.environ.items() if key != FOLDER_VARIABLE}
    try:
        done = subprocess.run(  # noqa: S603 - the caller says why the program may be trusted
            [interpreter, "-B", "-"],
            input=script.encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
            cwd=os.path.dirname(interpreter) or None,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    except ValueError as error:
        raise OSError(None, str(error), interpreter) from error
    return done.stdout.decode("ascii", "backslashreplace")


if sys.platform == "win32":
    import winreg

    _HIVES = {
        "HKEY_CLASSES_ROOT": winreg.HKEY_CLASSES_ROOT,
        "HKEY_CURRENT_USER": winreg.HKEY_CURRENT_USER,
        "HKEY_LOCAL_MACHINE": winreg.HKEY_LOCAL_MACHINE,
    }

    def registry_value(key: str, name: str) -> object:
        """A value of the registry, or None."""
        hive, _, path = key.partition("\\")
        try:
            with winreg.OpenKey(_HIVES[hive], path) as opened:
                value: object = winreg.QueryValueEx(opened, name)[0]
        except FileNotFoundError:
            return None
        return value

else:

    def registry_value(key: str, name: str) -> object:
        """None: only Windows has a registry."""
        del key, name
        return None


def _preference(name: str) -> str:
    if sys.platform != MAC:
        return ""
    read = partial(subprocess.run, capture_output=True, text=True, check=False)
    try:
        done = read(
            ["/usr/bin/defaults", "read", "com.microsoft.office", name],
            timeout=SECONDS_OF_DEFAULTS,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(None, "the preferences of Office were not given in time") from error
    return done.stdout.strip() if done.returncode == 0 else ""
