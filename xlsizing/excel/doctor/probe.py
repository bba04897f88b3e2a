"""What a Python says when it is asked: its version, its packages, and one answer of a function."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from xlsizing.core.message import Message
from xlsizing.excel.doctor.machine import Machine

SECONDS = 30.0
"""How long a Python may take to answer; a first start with a virus scanner takes seconds [s]."""

WORKED_CALL = '=NODES_REQUIRED("gpt-oss-120b", "dgx-b300", 1000, 131072, , , , , "n+1")'
WORKED_ANSWER = 3
"""What the method's first worked case gives."""

_MARK = "xlsizing-doctor:"

# For any Python, however old, and whatever goes wrong in it: it is judged by what it prints.
_SCRIPT = """
import json, os, struct, sys
found = {
    "version": list(sys.version_info[:3]),
    "bits": 8 * struct.calcsize("P"),
    "environment": "",
    "xlwings": "",
    "xlwings_folder": "",
    "xlsizing": "",
    "xlsizing_folder": "",
    "error": "",
    "answer": None,
}
if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
    found["environment"] = "conda"
elif sys.prefix != getattr(sys, "base_prefix", sys.prefix):
    found["environment"] = "virtual"
sys.path[0:0] = PATHS
try:
    import xlwings
    found["xlwings"] = xlwings.__version__
    found["xlwings_folder"] = os.path.dirname(os.path.abspath(xlwings.__file__))
    import xlsizing
    found["xlsizing"] = xlsizing.__version__
    found["xlsizing_folder"] = os.path.dirname(os.path.abspath(xlsizing.__file__))
    from xlsizing.excel.functions import NODES_REQUIRED
    answer = NODES_REQUIRED("gpt-oss-120b", "dgx-b300", 1000, 131072, *[None] * 4 + ["n+1"])
    found["answer"] = answer if isinstance(answer, (int, float)) else repr(answer)
except BaseException as error:
    found["error"] = type(error).__name__ + ": " + str(error)
print("MARK" + json.dumps(found))
""".replace("MARK", _MARK)


class NoAnswer(NamedTuple):
    """What there is to say of a program that does not answer."""

    why: Message
    """To follow its name."""


class PythonFacts(NamedTuple):
    """What a Python says of itself."""

    version: tuple[int, ...]
    bits: int
    environment: str
    """"virtual" or "conda" where it is that of such an environment; else empty."""
    xlwings: str
    """Version of its xlwings; empty where there is none."""
    xlwings_folder: str
    xlsizing: str
    """Version of its xlsizing; empty where there is none."""
    xlsizing_folder: str
    error: str
    """What went wrong when it imported them and called a function; empty where nothing did."""
    answer: object
    """What the worked case gave."""

    @property
    def spelled_version(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def answer_of(
    machine: Machine, interpreter: str, paths: Sequence[str] = ()
) -> PythonFacts | NoAnswer:
    """What a Python says of itself.

    Parameters
    ----------
    machine : where it is.
    interpreter : its whole path.
    paths : folders that it looks for modules in first.

    Returns
    -------
    what it says, or NoAnswer where it cannot be started, does not end, or prints something else.
    """
    script = _SCRIPT.replace("PATHS", json.dumps(list(paths)))
    try:
        output = machine.run(interpreter, script, SECONDS)
    except TimeoutError:
        return NoAnswer(
            Message("gave no answer within {seconds} seconds", seconds=f"{SECONDS:.0f}")
        )
    except OSError as error:
        return NoAnswer(
            Message("cannot be started ({reason})", reason=error.strerror or str(error))
        )
    _, _, said = output.rpartition(_MARK)
    if facts := _facts(said):
        return facts
    if not output.strip():
        return NoAnswer(Message("is no Python that answers: it said nothing"))
    heard = repr(output.strip()[:200])
    return NoAnswer(Message("is no Python that answers: it said {heard}", heard=heard))


def _facts(said: str) -> PythonFacts | None:
    """What the script prints behind its mark; None where something else was printed."""
    try:
        found = json.loads(said)
        return PythonFacts(**{**found, "version": tuple(map(int, found["version"]))})
    except (ValueError, TypeError, KeyError):
        return None
