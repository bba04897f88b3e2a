"""The command line: one command per thing that a person does."""

import sys
from collections.abc import Sequence
from time import perf_counter

from xlsizing.catalog import CatalogError
from xlsizing.cli.arguments import asked_language, parsed
from xlsizing.cli.codes import BAD_INPUT, INTERRUPTED, OK
from xlsizing.cli.output import Output
from xlsizing.cli.screen import clean_output, drop_output
from xlsizing.core import SizingError
from xlsizing.core.message import Figure, Message
from xlsizing.core.text import printable
from xlsizing.language import ENGLISH, language, system_language


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    with clean_output():
        return _run(sys.argv[1:] if arguments is None else arguments)


def _run(arguments: Sequence[str]) -> int:
    started = perf_counter()
    try:
        asked = asked_language(arguments)
        chosen = system_language() if asked is None else language(asked)
    except SizingError as error:
        print(printable(system_language().say(str(error))), file=sys.stderr)
        return BAD_INPUT
    command, options = parsed(arguments, chosen)
    output = Output(chosen, is_quiet=options.quiet, is_verbose=options.verbose)
    options.language, options.is_language_asked = chosen, asked is not None
    options.output = output
    # What programs read stays English unless another language is asked for.
    options.json_language = ENGLISH if asked is None else chosen
    output.detail(Message("The language is {language}.", language=chosen.code))
    try:
        code = command(options)
        seconds = Figure(f"{perf_counter() - started:.2f}")
        output.detail(Message("It took {seconds} seconds.", seconds=seconds))
        if sys.stdout:  # None where it was closed for us
            sys.stdout.flush()
    except CatalogError as error:
        # Of several lines, which are printable as they are.
        print(chosen.say(str(error)), file=sys.stderr)
        return BAD_INPUT
    except SizingError as error:
        output.fault(str(error))
        return BAD_INPUT
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` does.
        drop_output()
        return OK
    except OSError as error:
        drop_output()
        fault = Message(
            "{file} cannot be read or written: {reason}.",
            file=str(error.filename) if error.filename else Message("The output"),
            reason=error.strerror or str(error),
        )
        output.fault(fault)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
