"""Starting xlwings Server with the functions of this package.

xlwings Server is not in the default installation: it is PolyForm Noncommercial or paid, where
the rest of xlwings is BSD-3.
"""

import errno
import os
import socket
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from xlsizing.catalog import load_catalogs
from xlsizing.catalog.loading import FOLDER_VARIABLE
from xlsizing.core.errors import InvalidValueError, SizingError
from xlsizing.core.message import Message
from xlsizing.language import Language

KEY_VARIABLE = "XLWINGS_LICENSE_KEY"
LEVEL_VARIABLE = "XLWINGS_LOG_LEVEL"
LANGUAGE_VARIABLE = "LANGUAGE"

SETTINGS = {
    # Any other environment would stand before the functions' names, as this prefix would.
    "XLWINGS_ENVIRONMENT": "prod",
    "XLWINGS_FUNCTIONS_NAMESPACE": "",
    "XLWINGS_PROJECT_DIR": str(Path(__file__).parent / "project"),
    "XLWINGS_ENABLE_EXAMPLES": "false",
    "XLWINGS_ENABLE_WASM": "false",
    # Only streaming functions need it, and with it several workers need a message queue.
    "XLWINGS_ENABLE_SOCKETIO": "false",
    "XLWINGS_ON_SERVER": "true",
}
"""Settings of xlwings Server that make it ours."""

DEFAULTS = {
    "XLWINGS_PROJECT_NAME": "xlsizing",
    "XLWINGS_MANIFEST_ID_PROD": "4bdb60b3-b3e7-463d-abfd-4b6678d7d0aa",
    LEVEL_VARIABLE: "WARNING",
}
"""Settings of xlwings Server that hold where its administrator sets no other."""

LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
LAST_PORT = 65535
SECONDS_TO_END = 10
"""Calls that still run when the server is ended have so long [s]."""
SECONDS_TO_ANSWER = 30
"""A worker that does not answer its parent for so long is replaced [s]."""


class ServerError(SizingError):
    """The server cannot start; the sentence says why, and what to do."""

    code = "CANNOT_SERVE"


class Listening(NamedTuple):
    """A server that holds its port and has not started to answer."""

    sockets: list[socket.socket]
    workers: int
    address: str
    """Where it listens, as http://HOST:PORT."""
    manifest: str
    """Address of the manifest that an administrator installs."""

    def serve(self) -> None:
        """Answer calls until it is ended by a signal."""
        from uvicorn import Config, Server
        from uvicorn.supervisors import Multiprocess

        config = Config(
            "xlsizing.excel.server.app:main_app",
            workers=self.workers,
            log_level=os.environ[LEVEL_VARIABLE].lower(),
            timeout_graceful_shutdown=SECONDS_TO_END,
            timeout_worker_healthcheck=SECONDS_TO_ANSWER,
        )
        with suppress(KeyboardInterrupt):
            if self.workers == 1:
                Server(config).run(sockets=self.sockets)
            else:
                Multiprocess(config, self.sockets).run()


def listen(
    host: str, port: int, workers: int, language: Language, catalogs: str | None = None
) -> Listening:
    """Check all that a server needs, set this process's environment for it, and take its port.

    Parameters
    ----------
    host : address to listen on.
    port : port to listen on; 0 for a free one.
    workers : processes that answer calls.
    language : what they answer in.
    catalogs : folder of the catalogs, or None for those of XLSIZING_CATALOGS or the shipped ones.

    Raises
    ------
    InvalidValueError : the port or the workers are no such number.
    CatalogError : the catalogs do not load.
    ServerError : xlwings Server is not installed, its licence key is missing or refused, it
        does not accept its settings, or the port cannot be had.
    """
    if not 0 <= port <= LAST_PORT:
        right = Message("from 0, for a free one, to {last}", last=str(LAST_PORT))
        raise InvalidValueError("--port", port, right)
    if workers < 1:
        raise InvalidValueError("--workers", workers, Message("at least {least}", least="1"))
    _require_installed()
    load_catalogs(catalogs)
    if catalogs:
        os.environ[FOLDER_VARIABLE] = str(Path(catalogs).absolute())
    os.environ.update(SETTINGS)
    # Workers find it where they find the system's.
    os.environ[LANGUAGE_VARIABLE] = language.code
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    with ExitStack() as opened:
        listener = opened.enter_context(_listener(host, port))
        _require_licence()
        prefix, hostname = _require_settings()
        opened.pop_all()
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    public = f"https://{hostname}" if hostname else address
    return Listening([listener], workers, address, f"{public}{prefix}/manifest.xml")


def _require_installed() -> None:
    if not all(map(find_spec, ("uvicorn", "xlwings_server"))):
        raise ServerError(
            Message(
                "xlwings Server is not installed; in the folder of xlsizing, type {command}.",
                command='pip install ".[server]"',
            )
        )


def _require_licence() -> None:
    """The key is accepted by xlwings, which checks it when it is imported as on a server."""
    sources = Message(
        "xlwings Server is PolyForm Noncommercial 1.0.0 or paid: for noncommercial use the key is "
        "the word noncommercial, for any other xlwings.org sells one and gives one for a trial."
    )
    if not os.environ.get(KEY_VARIABLE):
        raise ServerError(
            Message(
                "{variable} is not set; set it to your licence key. {sources}",
                variable=KEY_VARIABLE,
                sources=sources,
            )
        )
    try:
        import xlwings.server  # noqa: F401
    except Exception as error:
        # The class cannot be imported from a package whose import it ends.
        if type(error).__name__ != "LicenseError":
            raise
        reason = str(error).rstrip(".")
        refused = Message(
            "{variable} is refused: {reason}. {sources}",
            variable=KEY_VARIABLE,
            reason=reason,
            sources=sources,
        )
        raise ServerError(refused) from error


def _require_settings() -> tuple[str, str | None]:
    """The path and the host name that xlwings Server is set to be reached at."""
    from pydantic import ValidationError

    if (level := os.environ[LEVEL_VARIABLE]).upper() not in LEVELS:
        right = Message("one of {choices}", choices=", ".join(LEVELS))
        raise InvalidValueError(LEVEL_VARIABLE, level, right)
    try:
        from xlwings_server.config import settings
    except ValidationError as error:
        faults = "; ".join(
            f"XLWINGS_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()
        )
        raise ServerError(_REFUSED.filled(faults=faults)) from error
    except ValueError as error:
        raise ServerError(_REFUSED.filled(faults=str(error))) from error
    return settings.app_path, settings.hostname


_REFUSED = Message("xlwings Server does not accept its settings: {faults}.")


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taken = Message(
                "Port {port} of {host} is in use; end what uses it, or choose another by --port.",
                port=str(port),
                host=host,
            )
            raise ServerError(taken) from error
        refused = Message(
            "The server cannot listen on port {port} of {host} ({reason}); it must be an address of "
            "this machine, and a port you may use.",
            port=str(port),
            host=host,
            reason=str(error.strerror or error).partition(" (while")[0],
        )
        raise ServerError(refused) from error
