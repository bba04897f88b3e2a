"""The arguments of each command.

Only the arguments of the command that was called are built: building all takes longer
than a sizing.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, NoReturn

from xlsizing import __version__
from xlsizing.cli import commands
from xlsizing.cli.catalogs import read_catalogs
from xlsizing.cli.codes import BAD_INPUT, OK
from xlsizing.cli.help_page import HelpPage, examples_text
from xlsizing.cli.refusals import refusal, stray_option
from xlsizing.cli.send import (
    DEFAULT_MOST_MIB,
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    SECURITY,
    send_command,
)
from xlsizing.cli.sync import sync_command
from xlsizing.cli.values import (
    ENTRY,
    FILE,
    FOLDER,
    MODEL,
    MODEL_OR_FILE,
    SERVER,
    SHELL,
    STORAGE,
    Word,
    decimal,
    no_password,
    whole,
)
from xlsizing.core import (
    BYTES_PER_ELEMENT,
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
)
from xlsizing.core.engine import (
    DEFAULT_ACTIVATION_GIB,
    DEFAULT_BATCHES_IN_FLIGHT,
    DEFAULT_GPU_MEMORY_UTILIZATION,
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    DEFAULT_RUNTIME_GIB,
)
from xlsizing.core.layers import RECURRENT_BYTES
from xlsizing.core.message import Message
from xlsizing.core.nodes import SPARE_NODES
from xlsizing.core.paged_cache import STATES_PER_REQUEST
from xlsizing.core.text import printable
from xlsizing.language import LANGUAGES, Language

Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """argparse in the reader's language, with errors as sentences, and no guessing of options."""

    def __init__(self, *, language: Language, **settings: object) -> None:
        super().__init__(
            allow_abbrev=False,
            exit_on_error=False,
            formatter_class=partial(HelpPage, language=language),
            **settings,  # type: ignore[arg-type]
        )
        self._language = language
        self._typed: Sequence[str] = ()

    def format_help(self) -> str:
        """The page of help, with examples at its end."""
        from xlsizing.cli.examples import EXAMPLES  # which no other call needs

        name = self.prog.removeprefix("xlsizing").strip()
        return super().format_help() + examples_text(EXAMPLES[name], self._language)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse has it, but what is wrong is told in our words."""
        self._typed = args or ()
        try:
            found, left = super().parse_known_args(args, namespace)
        except argparse.ArgumentError as error:
            self._refuse_fault(error.argument_name, error.message)
        if left and not self._commands():
            # Told here, where the options of the command are known.
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, as argparse says it."""
        self._refuse_fault(None, message)

    def _refuse_fault(self, argument: str | None, fault: str) -> NoReturn:
        # What is missing, or taken for a command, may be so because an option is misspelt.
        stray = stray_option(fault, self._typed, self._known(""))
        if stray is not None:
            argument, fault = None, f"unrecognized arguments: {stray}"
        self.refuse(refusal(argument, fault, self._known(fault)))

    def refuse(self, sentence: Message) -> NoReturn:
        """End with a sentence that says what is wrong with the call."""
        said = printable(self._language.say(sentence))
        more = self._language.say(Message("See {program} --help.", program=self.prog))
        self.exit(BAD_INPUT, f"{said[0].upper()}{said[1:]} {more}\n")

    def _known(self, fault: str) -> list[str]:
        """The commands or options that there are."""
        if fault.startswith("invalid choice"):
            return self._commands()
        return [each for action in self._actions for each in action.option_strings]

    def _commands(self) -> list[str]:
        return [
            name
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 -- it has no other name
            for name in action.choices
        ]


class _Entry(NamedTuple):
    """One command: its name, a line of help, its arguments, and what it does."""

    name: str
    help: Message
    add_arguments: Callable[[_Parser], None]
    run: Command


def command_names() -> tuple[str, ...]:
    """Every command as it is typed after xlsizing, such as size or catalog list."""
    return (
        *(entry.name for entry in _COMMANDS),
        *(f"catalog {entry.name}" for entry in _CATALOG),
    )


def parsed(arguments: Sequence[str], language: Language) -> tuple[Command, argparse.Namespace]:
    """The command that was called, and its options."""
    parser = _parser(language, arguments)
    options = parser.parse_args(arguments)
    if options.quiet and options.verbose:
        parser.refuse(Message("--quiet and --verbose are opposites; leave out one of them."))
    if "require" in options:
        options.require(arguments)
    command: Command = options.run
    return command, options


def whole_parser(language: Language) -> argparse.ArgumentParser:
    """The arguments of all commands, for completion."""
    return _parser(language, [word for name in command_names() for word in name.split()])


def _parser(language: Language, called: Sequence[str]) -> _Parser:
    """The parser of a call, with the arguments of the commands that stand in it."""
    parser = _Parser(
        language=language,
        prog="xlsizing",
        description=Message("How many GPU nodes it takes to serve a language model."),
    )
    parser.add_argument("--version", action="version", version=f"xlsizing {__version__}")
    parser.set_defaults(quiet=False, verbose=False)
    _add_manners(parser)
    names = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(names, _COMMANDS, called, language)
    catalog = names.add_parser("catalog", help=Message("what can be sized"), language=language)
    if "catalog" in called:
        _add_manners(catalog)
        actions = catalog.add_subparsers(metavar="ACTION", required=True)
        _add(actions, _CATALOG, called, language)
    return parser


def _add(
    names: "argparse._SubParsersAction[_Parser]",
    entries: Sequence[_Entry],
    called: Sequence[str],
    language: Language,
) -> None:
    for entry in entries:
        parser = names.add_parser(entry.name, help=entry.help, language=language)
        if entry.name in called:
            entry.add_arguments(parser)
            _add_manners(parser)
            parser.set_defaults(run=entry.run)


def _add_manners(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has, which may stand before its name or after it."""
    # Where one is not given, it must not undo what was given before the command's name.
    add = partial(parser.add_argument, default=argparse.SUPPRESS)
    add(
        "--lang",
        type=Word(*LANGUAGES),
        metavar="LANGUAGE",
        help=Message("language of all texts: en or pt-BR (default: the system's)"),
    )
    add(
        "-q",
        "--quiet",
        action="store_true",
        help=Message("print only what was asked for, and errors"),
    )
    add(
        "-v",
        "--verbose",
        action="store_true",
        help=Message("also tell on standard error what is done"),
    )


def asked_language(arguments: Sequence[str]) -> str | None:
    """The language that a call asks for, before the call is understood; None for none."""
    for place, argument in enumerate(arguments):
        if argument == "--lang" and place + 1 < len(arguments):
            return arguments[place + 1]
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
    return None


def _size(command: argparse.ArgumentParser) -> None:
    _add_inputs(command)
    _add_state_dtype(command)
    command.add_argument(
        "--json-only", action="store_true", help=Message("print JSON and nothing else")
    )


def _template(command: argparse.ArgumentParser) -> None:
    _add_out(command)
    command.add_argument(
        "--host",
        type=Word("none", "classic", "lite", "server"),
        default="none",
        metavar="HOST",
        help=Message(
            "what computes the functions by their names: none, for names of the workbook itself; "
            "classic, for the xlwings add-in, with macros in an .xlsm; lite, for the add-in xlwings "
            "Lite with the code in the workbook; or server, for the add-in of xlsizing serve "
            "(default: %(default)s)"
        ),
    )
    _add_date(command)
    _add_catalogs(command)


def _report(command: _Parser) -> None:
    _add_out(command)
    command.add_argument(
        "--from",
        dest="source",
        type=FILE,
        metavar="WORKBOOK",
        help=Message(
            "read the inputs and scenarios from a planning workbook, in place of the options"
        ),
    )
    command.add_argument(
        "--pdf", action="store_true", help=Message("also draw OUT.pdf beside it, by LibreOffice")
    )
    command.add_argument(
        "--html", action="store_true", help=Message("also write OUT.html: the report as one page")
    )
    command.add_argument(
        "--markdown", action="store_true", help=Message("also write OUT.md: the same in Markdown")
    )
    command.add_argument(
        "--eml",
        type=FILE,
        metavar="DRAFT.eml",
        help=Message("also write a mail draft with the report, and the workbook attached"),
    )
    command.add_argument(
        "--to",
        nargs="+",
        action="extend",
        default=[],
        metavar="ADDRESS",
        help=Message("who the draft is for"),
    )
    command.add_argument(
        "--preset",
        action="append",
        default=[],
        metavar="NAME=HEADROOM,HA",
        help=Message(
            "change a preset that the load is compared with (Minimum=0,none; Recommended=0.2,n+1; "
            "Ideal=0.4,n+1), or add one"
        ),
    )
    _add_date(command)
    _add_inputs(command, required=False)
    command.set_defaults(require=partial(_require_one_source, command))


_BESIDE_INPUTS = (
    *("--from", "--pdf", "--html", "--markdown", "--eml", "--to"),
    *("--date", "--force", "--catalogs", "--lang", "--quiet", "--verbose"),
)
"""Options of a report that are no inputs."""
_REQUIRED = ("--model", "--server", "--storage", "--concurrency", "--effective-context")


def _require_one_source(command: _Parser, arguments: Sequence[str]) -> None:
    """End with a sentence unless the inputs come from a workbook or from options."""
    given = [each.partition("=")[0] for each in arguments if each.startswith("--")]
    if "--from" not in given:
        if missing := [each for each in _REQUIRED if each not in given]:
            command.refuse(
                Message(
                    "A report needs --from WORKBOOK, or the inputs of a load; "
                    "of these are missing: {names}.",
                    names=", ".join(missing),
                )
            )
    elif inputs := [each for each in given if each not in _BESIDE_INPUTS]:
        command.refuse(
            Message(
                "--from reads all inputs from the workbook; leave out {names}, or --from.",
                names=", ".join(inputs),
            )
        )


def _sync(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "workbooks",
        type=FILE,
        nargs="+",
        metavar="WORKBOOK",
        help=Message("the workbooks to bring up to date"),
    )
    add(
        "--check",
        action="store_true",
        help=Message(
            "only show what would change; the exit code is 1 where a workbook is out of date"
        ),
    )
    add(
        "--prune",
        action="store_true",
        help=Message(
            "also take out the rows that only a workbook has (default: they stay, marked local)"
        ),
    )
    add(
        "--pull",
        type=FILE,
        metavar="FILE.json",
        help=Message("write the rows that only the workbooks have to a file, for review"),
    )
    add(
        "--add-tables",
        action="store_true",
        help=Message(
            "add the sheets Models, Servers and Storage to a workbook that has no catalog tables"
        ),
    )
    add(
        "--backup",
        action="store_true",
        help=Message("keep each workbook as it was in a file ending .bak"),
    )
    add(
        "--force",
        action="store_true",
        help=Message("sync a signed workbook, which breaks its signature; replace FILE.json"),
    )
    add("--json", action="store_true", help=Message("print JSON"))
    _add_catalogs(command)


def _send(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("draft", type=FILE, metavar="DRAFT.eml", help=Message("the mail draft"))
    add(
        "--server",
        metavar="HOST[:PORT]",
        help=Message("the server that takes mails (default: XLSIZING_SMTP_SERVER)"),
    )
    add(
        "--security",
        type=Word(*SECURITY),
        metavar="S",
        help=Message(
            "starttls (usual at port 587), tls (at 465), or none: in the open, and with a user name "
            "only to this machine (default: tls at port 465, else starttls)"
        ),
    )
    add(
        "--ca",
        type=FILE,
        metavar="FILE",
        help=Message(
            "certificates of a company's own authority, believed in place of the system's"
        ),
    )
    add(
        "--username",
        metavar="NAME",
        help=Message(
            "user name, where the server wants one (default: XLSIZING_SMTP_USERNAME); its password "
            "is that of XLSIZING_SMTP_PASSWORD, else of the keyring"
        ),
    )
    # Not an option: it would otherwise be repeated as an argument that nobody knows.
    add("--password", type=no_password, help=argparse.SUPPRESS)
    add(
        "--sender", metavar="ADDRESS", help=Message("who sends it (default: who the draft is from)")
    )
    add(
        "--to",
        nargs="+",
        action="extend",
        default=[],
        metavar="ADDRESS",
        help=Message("who gets it (default: To, Cc and Bcc of the draft)"),
    )
    add(
        "--timeout",
        type=decimal,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help=Message("how long to wait for each answer (default: %(default)s)"),
    )
    add(
        "--retries",
        type=whole,
        default=DEFAULT_RETRIES,
        metavar="N",
        help=Message("further attempts while no server has got the mail (default: %(default)s)"),
    )
    add(
        "--most-mib",
        type=whole,
        default=DEFAULT_MOST_MIB,
        metavar="N",
        help=Message("MiB that the mail may have (default: %(default)s)"),
    )
    add(
        "--dry-run",
        action="store_true",
        help=Message("print what would be sent, and connect to nobody"),
    )
    add("--json", action="store_true", help=Message("print JSON"))


def _add_date(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--date",
        metavar="YYYY-MM-DD",
        help=Message(
            "the date that the workbook bears (default: that of SOURCE_DATE_EPOCH, else none)"
        ),
    )


def _kv(command: argparse.ArgumentParser) -> None:
    _add_model_or_config(command)
    add = command.add_argument
    add("--context", required=True, type=whole, metavar="L", help=Message("tokens of the session"))
    _add_kv_precision(command)
    _add_state_dtype(command)
    add("--json", action="store_true", help=Message("print JSON"))
    _add_engine(command)
    _add_catalogs(command)


def _calibrate(command: argparse.ArgumentParser) -> None:
    _add_model_or_config(command)
    add = command.add_argument
    add(
        "log",
        type=FILE,
        metavar="LOG|-",
        help=Message("a vLLM start-up log, or - for standard input"),
    )
    add(
        "--server",
        required=True,
        type=SERVER,
        metavar="NAME",
        help=Message("server that the log is of"),
    )
    # None where nothing is typed: what is typed must agree with the log.
    add(
        "--kv-precision",
        type=Word(*BYTES_PER_ELEMENT),
        metavar="P",
        help=Message("where the log does not say it"),
    )
    for name, kind in (
        ("--tensor-parallel", whole),
        ("--max-num-batched-tokens", whole),
        ("--batches-in-flight", whole),
        ("--gpu-memory-utilization", decimal),
    ):
        add(name, type=kind, metavar="N", help=Message("where the log does not say it"))
    add("--json", action="store_true", help=Message("print JSON"))
    _add_catalogs(command)


def _doctor(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "workbook",
        nargs="?",
        type=FILE,
        metavar="WORKBOOK",
        help=Message("also check this workbook"),
    )
    add("--json", action="store_true", help=Message("print JSON"))
    _add_catalogs(command)


def _add_state_dtype(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ssm-state-dtype",
        type=Word(*RECURRENT_BYTES),
        metavar="D",
        help=Message(
            "{dtypes}, for the states of state-space layers (default: the model's)",
            dtypes="|".join(RECURRENT_BYTES),
        ),
    )


def _list(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help=Message("print the names as JSON"))
    _add_catalogs(command)


def _show(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", type=ENTRY, metavar="NAME", help=Message("a name or an alias"))
    _add_catalogs(command)


def _import_hf(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "config", type=FILE, metavar="CONFIG.json", help=Message("a model's published config.json")
    )
    command.add_argument("--name", required=True, metavar="N", help=Message("name of the entry"))


def _add_model_or_config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model",
        type=MODEL_OR_FILE,
        metavar="MODEL|CONFIG.json",
        help=Message("a model of the catalog, or a published config"),
    )


def _add_kv_precision(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--kv-precision",
        type=Word(*BYTES_PER_ELEMENT),
        metavar="P",
        help=Message("{precisions} (default: the model's)", precisions="|".join(BYTES_PER_ELEMENT)),
    )


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "out", type=FILE, metavar="OUT.xlsx", help=Message("the workbook to write")
    )
    command.add_argument("--force", action="store_true", help=Message("replace what exists"))


def _add_catalogs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--catalogs",
        type=FOLDER,
        metavar="DIR",
        help=Message(
            "folder with models.json, servers.json and storage.json "
            "(default: XLSIZING_CATALOGS, else the shipped catalogs)"
        ),
    )


def _add_inputs(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    add = command.add_argument
    add(
        "--model",
        required=required,
        type=MODEL,
        metavar="NAME",
        help=Message("model, by name or alias"),
    )
    add(
        "--server",
        required=required,
        type=SERVER,
        metavar="NAME",
        help=Message("server, by name or alias"),
    )
    add(
        "--storage",
        required=required,
        type=STORAGE,
        metavar="NAME",
        help=Message("storage profile, by name or alias"),
    )
    add(
        "--concurrency",
        required=required,
        type=whole,
        metavar="N",
        help=Message("sessions at the same time"),
    )
    add(
        "--effective-context",
        required=required,
        type=whole,
        metavar="TOKENS",
        help=Message("tokens that a session holds"),
    )
    _add_kv_precision(command)
    add(
        "--kv-budget-ratio",
        type=decimal,
        default=DEFAULT_KV_BUDGET_RATIO,
        metavar="R",
        help=Message("share of the HBM that is planned for KV caches (default: %(default)s)"),
    )
    add(
        "--runtime-overhead-gib",
        type=decimal,
        default=DEFAULT_RUNTIME_OVERHEAD_GIB,
        metavar="G",
        help=Message("GiB of that share, per node, that the runtime takes (default: %(default)s)"),
    )
    add(
        "--peak-headroom-ratio",
        type=decimal,
        default=DEFAULT_PEAK_HEADROOM_RATIO,
        metavar="H",
        help=Message("share of the load to keep free for peaks (default: %(default)s)"),
    )
    add(
        "--ha",
        type=Word(*SPARE_NODES),
        default=DEFAULT_HA_MODE,
        metavar="MODE",
        help=Message("none, or n+1 for a spare node (default: %(default)s)"),
    )
    _add_engine(command)
    _add_memory(command)
    _add_catalogs(command)


def _add_engine(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group(Message("engine")).add_argument
    add(
        "--tensor-parallel",
        type=whole,
        metavar="N",
        help=Message(
            "GPUs that share one copy of the model (default: the smallest that holds a session; "
            "1 for kv)"
        ),
    )
    add(
        "--max-num-batched-tokens",
        type=whole,
        default=DEFAULT_MAX_NUM_BATCHED_TOKENS,
        metavar="N",
        help=Message("tokens that the engine prefills in one step (default: %(default)s)"),
    )
    add(
        "--batches-in-flight",
        type=whole,
        default=DEFAULT_BATCHES_IN_FLIGHT,
        metavar="N",
        help=Message("steps scheduled at the same time (default: %(default)s, as in vLLM 0.33)"),
    )
    add(
        "--no-hybrid-manager",
        action="store_true",
        help=Message("windowed layers beside full ones keep the whole context"),
    )
    add(
        "--state-caching",
        type=Word(*STATES_PER_REQUEST),
        default="none",
        metavar="MODE",
        help=Message(
            "none, or align where prefix caching keeps two states a request (default: %(default)s)"
        ),
    )
    add(
        "--kv-pool-gib",
        type=decimal,
        metavar="G",
        help=Message("GiB per GPU for KV caches, if known"),
    )


def _add_memory(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group(Message("memory of a GPU")).add_argument
    add(
        "--gpu-memory-utilization",
        type=decimal,
        default=DEFAULT_GPU_MEMORY_UTILIZATION,
        metavar="R",
        help=Message("share that the engine may take (default: %(default)s)"),
    )
    add(
        "--activation-gib",
        type=decimal,
        default=DEFAULT_ACTIVATION_GIB,
        metavar="G",
        help=Message("peak of the activations (default: %(default)s)"),
    )
    add(
        "--runtime-gib",
        type=decimal,
        default=DEFAULT_RUNTIME_GIB,
        metavar="G",
        help=Message("graphs, libraries and buffers (default: %(default)s)"),
    )


def _serve(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help=Message("address to listen on (default: %(default)s)"),
    )
    add(
        "--port",
        type=whole,
        default=8000,
        metavar="N",
        help=Message("port to listen on, 0 for a free one (default: %(default)s)"),
    )
    add(
        "--workers",
        type=whole,
        default=1,
        metavar="N",
        help=Message("processes that answer (default: %(default)s)"),
    )
    _add_catalogs(command)


def _completion(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "shell",
        type=SHELL,
        metavar="SHELL",
        help=Message("bash, zsh or fish"),
    )
    _add_catalogs(command)


def _completion_command(options: argparse.Namespace) -> int:
    """Print the script with which a shell completes what is typed."""
    from xlsizing.cli.completion import script

    catalogs = read_catalogs(options)
    print(script(options.shell, whole_parser(options.language), catalogs))
    return OK


_COMMANDS = (
    _Entry("size", Message("size a load and print the answer"), _size, commands.size_command),
    _Entry(
        "template", Message("write the planning workbook"), _template, commands.template_command
    ),
    _Entry(
        "report",
        Message("size a load and write the answer as a workbook"),
        _report,
        commands.report_command,
    ),
    _Entry(
        "sync",
        Message("bring the catalogs into people's workbooks, and change nothing else"),
        _sync,
        sync_command,
    ),
    _Entry("send", Message("send a mail draft by SMTP"), _send, send_command),
    _Entry(
        "kv", Message("print what one session costs, by three figures"), _kv, commands.kv_command
    ),
    _Entry(
        "calibrate",
        Message("print the settings that reproduce a vLLM start-up log"),
        _calibrate,
        commands.calibrate_command,
    ),
    _Entry(
        "serve",
        Message("serve the functions to Excel by xlwings Server"),
        _serve,
        commands.serve_command,
    ),
    _Entry(
        "doctor",
        Message("print what keeps the functions from working here, and what to do"),
        _doctor,
        commands.doctor_command,
    ),
    _Entry(
        "completion",
        Message("print what lets a shell complete commands, options and names"),
        _completion,
        _completion_command,
    ),
)
_CATALOG = (
    _Entry(
        "list", Message("print the names in the catalogs"), _list, commands.catalog_list_command
    ),
    _Entry(
        "show", Message("print one entry with its sources"), _show, commands.catalog_show_command
    ),
    _Entry(
        "import-hf",
        Message("print the entry that a published config.json makes"),
        _import_hf,
        commands.import_command,
    ),
    _Entry(
        "validate",
        Message("print every fault of the catalog files"),
        _add_catalogs,
        commands.catalog_validate_command,
    ),
)
