"""The calls of functions and scripts, answered beside the event loop.

The routes of xlwings Server itself read the arguments, compute and write the result in the
event loop, so that one range of 100,000 rows keeps everybody else waiting for seconds. These
routes stand before them, ask the same authentication, and run the same functions of xlwings:
a short call where it arrives, since to hand it over would take longer than to answer it, and a
long one in a thread.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import custom_functions
import custom_scripts
import xlwings
import xlwings.server
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from xlwings_server.config import settings
from xlwings_server.dependencies import User
from xlwings_server.models import CurrentUser

from xlsizing.core.message import Message
from xlsizing.excel.host import said

SHORT_BODY = 640
"""A call of no more bytes is read in the event loop, and answered there where all its arguments
are single cells; a load with all its arguments fits [bytes]."""

LOG = logging.getLogger(__name__)

_FUNCTIONS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="functions")
"""Threads share one interpreter: more of them would only slow each other and the event loop."""
_SCRIPTS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scripts")
"""One at a time: xlwings keeps all open books in one list."""


async def call_function(request: Request, user: User) -> Response:
    """Answer a call of a function, as Excel sends it."""
    body = await request.body()
    if len(body) <= SHORT_BODY and _is_of_single_cells(call := _read(body)):
        return await _function(call, user)
    return await _in_thread(_FUNCTIONS, lambda: _function(_read(body), user))


def _is_of_single_cells(call: dict[str, Any]) -> bool:
    """Whether no argument is a range: two short ranges may ask for a table of thousands."""
    arguments = call.get("args")
    return isinstance(arguments, list) and all(
        each is None
        or (
            isinstance(each, list)
            and len(each) == 1
            and isinstance(each[0], list)
            and len(each[0]) == 1
        )
        for each in arguments
    )


async def call_script(script_name: str, request: Request, user: User) -> Response:
    """Run a script on the workbook that Excel sends, and answer with what it did there."""
    body = await request.body()
    return await _in_thread(_SCRIPTS, lambda: _script(script_name, body, user))


ROUTES = [
    APIRoute(f"{settings.app_path}/xlwings/{path}", endpoint, methods=["POST"])
    for path, endpoint in (
        ("custom-functions-call", call_function),
        ("custom-scripts-call/{script_name}", call_script),
    )
]
"""The routes that stand before those of xlwings Server with the same paths."""


async def _in_thread(
    threads: ThreadPoolExecutor, answer: Callable[[], Coroutine[Any, Any, Response]]
) -> Response:
    """What a coroutine answers that runs in a thread, in an event loop of its own."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, lambda: asyncio.run(answer()))


async def _function(call: dict[str, Any], user: Any) -> Response:
    name = call.get("func_name")
    if not hasattr(getattr(custom_functions, str(name), None), "__xlfunc__"):
        unknown = Message("There is no function named {name} on this server.", name=repr(name))
        raise xlwings.XlwingsError(said(unknown))
    _require_arguments(str(name), call.get("args"))
    _log(Message("Function {name} called by {user}", name=str(name), user=repr(user.name)))
    result = await xlwings.server.custom_functions_call(call, custom_functions, user)
    return JSONResponse({"result": result})


def _require_arguments(name: str, given: object) -> None:
    """Raise a sentence where a call has too many arguments or too few."""
    known = getattr(custom_functions, name).__xlfunc__["args"]
    least = sum("optional" not in argument for argument in known)
    if not isinstance(given, list) or not least <= len(given) <= len(known):
        count = len(given) if isinstance(given, list) else 0
        wrong = Message(
            "{name} takes {least} to {most} arguments, of which {count} came.",
            name=name,
            least=str(least),
            most=str(len(known)),
            count=str(count),
        )
        raise xlwings.XlwingsError(said(wrong))


async def _script(name: str, body: bytes, user: Any) -> Response:
    if not hasattr(getattr(custom_scripts, name, None), "__xlscript__"):
        unknown = Message("There is no script named {name} on this server.", name=repr(name))
        raise xlwings.XlwingsError(said(unknown))
    _log(Message("Script {name} called by {user}", name=name, user=repr(user.name)))
    content = _read(body)
    arguments = content.pop("args", None)
    with closing(xlwings.Book(json=content)) as book:
        await xlwings.server.custom_scripts_call(
            custom_scripts,
            name,
            user,
            typehint_to_value={CurrentUser: user, xlwings.Book: book},
            args=arguments,
        )
        return JSONResponse(book.json())


def _log(message: Message) -> None:
    if LOG.isEnabledFor(logging.INFO):
        LOG.info("%s", said(message))


def _read(body: bytes) -> dict[str, Any]:
    try:
        # Without a function of ours now and then, one large body would hold the interpreter,
        # and so the event loop, until it is read.
        content = json.loads(body, parse_int=_whole)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        wrong = Message("This is not a call from Excel: it must be a JSON object.")
        raise xlwings.XlwingsError(said(wrong))
    return content


def _whole(text: str) -> int:
    return int(text)
