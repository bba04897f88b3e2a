"""The command line: one command per thing that a person does.

Heavy imports stand where they are used, so that `xlsizing size` starts fast.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import NoReturn

from xlsizing import __version__
from xlsizing.catalog import catalog_folder, load_catalogs
from xlsizing.core import (
    BYTES_PER_ELEMENT,
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
    Catalogs,
    Model,
    SizingError,
    SizingResult,
    size,
)
from xlsizing.core.engine import (
    DEFAULT_ACTIVATION_GIB,
    DEFAULT_BATCHES_IN_FLIGHT,
    DEFAULT_GPU_MEMORY_UTILIZATION,
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    DEFAULT_RUNTIME_GIB,
    EngineSettings,
)
from xlsizing.core.layers import RECURRENT_BYTES

OK, BAD_INPUT, NOTHING_FITS, INTERRUPTED = 0, 2, 3, 130
"""Exit codes."""

HELP_WIDTH = 96
"""Columns of a help page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not end the command.
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        if sys.stdout:  # None where it was closed for us
            sys.stdout.flush()
    except SizingError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` does.
        _drop_output()
        return OK
    except OSError as error:
        _drop_output()
        what = error.filename or "The output"
        print(f"{what} cannot be read or written: {error.strerror or error}.", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _drop_output() -> None:
    """Send what is left of the output nowhere, so that Python does not fail on it at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def size_command(options: argparse.Namespace) -> int:
    """Size a load and print the answer."""
    from xlsizing.report.document import json_text

    result = _sizing(options, load_catalogs(options.catalogs))
    if not options.json_only:
        from xlsizing.report.text import text_report

        print(text_report(result), end="\n\n")
    print(json_text(result))
    return _fit_code(result)


def template_command(options: argparse.Namespace) -> int:
    """Write the planning workbook."""
    from xlsizing.book import require_writable, save_workbook, template

    require_writable(options.out, options.force)
    path = save_workbook(options.out, template(load_catalogs(options.catalogs)), options.force)
    print(f"Wrote {path}.")
    return OK


def report_command(options: argparse.Namespace) -> int:
    """Size a load, print the answer and write it as a workbook."""
    from xlsizing.book import report, require_writable, save_workbook
    from xlsizing.report.text import text_report

    require_writable(options.out, options.force)
    catalogs = load_catalogs(options.catalogs)
    result = _sizing(options, catalogs)
    path = save_workbook(options.out, report(result, catalogs), options.force)
    print(text_report(result), end="\n\n")
    print(f"Wrote {path}.")
    return _fit_code(result)


def kv_command(options: argparse.Namespace) -> int:
    """Print what one session costs, by the planning formula, in transformers and in the engine."""
    from xlsizing.core.kv_cache import resolved_precision, whole_number, with_recurrent_dtype
    from xlsizing.report.session import session, session_json, session_text

    model = _model(options)
    if options.ssm_state_dtype:
        model = with_recurrent_dtype(model, options.ssm_state_dtype)
    context = whole_number("context", options.context)
    precision = resolved_precision(model, options.kv_precision)
    found = session(model, context, precision, _settings(options))
    print(session_json(found) if options.json else session_text(found))
    return OK


def import_command(options: argparse.Namespace) -> int:
    """Print the catalog entry that a published config.json makes, and where each figure is from."""
    import json

    from xlsizing.catalog.hf_config import entry_json, import_config, read_config

    imported = import_config(read_config(options.config), options.name)
    print(json.dumps(entry_json(imported), indent=2, ensure_ascii=False))
    for reading in imported.readings:
        print(f"{reading.field} = {reading.value}  <-  {reading.source}", file=sys.stderr)
    return OK


def catalog_list_command(options: argparse.Namespace) -> int:
    """Print the names in the catalogs."""
    catalogs = load_catalogs(options.catalogs)
    listed = {
        "models": [model.name for model in catalogs.models],
        "servers": [server.name for server in catalogs.servers],
        "profiles": [profile.name for profile in catalogs.profiles],
    }
    if options.json:
        import json

        print(json.dumps(listed, indent=2))
    else:
        for kind, found in listed.items():
            print("\n  ".join([f"{kind}:", *found]))
    return OK


def catalog_show_command(options: argparse.Namespace) -> int:
    """Print one catalog entry with its sources."""
    from xlsizing.report.entry import entry_text

    catalogs = load_catalogs(options.catalogs)
    print("\n\n".join(entry_text(entry) for entry in catalogs.named(options.name)))
    return OK


def catalog_validate_command(options: argparse.Namespace) -> int:
    """Print every fault of the catalog files."""
    from xlsizing.catalog.errors import CatalogError
    from xlsizing.catalog.validation import folder_faults

    folder = catalog_folder(options.catalogs)
    if faults := folder_faults(folder):
        raise CatalogError(faults)
    catalogs = load_catalogs(folder)
    print(
        f"No faults. Models: {len(catalogs.models)}, servers: {len(catalogs.servers)}, "
        f"storage profiles: {len(catalogs.profiles)}."
    )
    return OK


def _sizing(options: argparse.Namespace, catalogs: Catalogs) -> SizingResult:
    return size(
        catalogs.model(options.model),
        catalogs.server(options.server),
        catalogs.profile(options.storage),
        concurrency=options.concurrency,
        effective_context=options.effective_context,
        kv_precision=options.kv_precision,
        kv_budget_ratio=options.kv_budget_ratio,
        runtime_overhead_gib=options.runtime_overhead_gib,
        peak_headroom_ratio=options.peak_headroom_ratio,
        ha_mode=options.ha,
        settings=_settings(options),
    )


def _settings(options: argparse.Namespace) -> EngineSettings:
    return EngineSettings(
        tensor_parallel=options.tensor_parallel,
        max_num_batched_tokens=options.max_num_batched_tokens,
        batches_in_flight=options.batches_in_flight,
        hybrid_manager=not options.no_hybrid_manager,
        state_caching=options.state_caching,
        kv_pool_gib=options.kv_pool_gib,
        **{
            name: getattr(options, name)
            for name in ("gpu_memory_utilization", "activation_gib", "runtime_gib")
            if name in options
        },
    )


def _model(options: argparse.Namespace) -> Model:
    """The model that an argument names: an entry of the catalog, or a config.json."""
    name: str = options.model
    if not name.lower().endswith(".json"):
        return load_catalogs(options.catalogs).model(name)
    from xlsizing.catalog.hf_config import import_config, read_config

    title = os.path.splitext(os.path.basename(name))[0]
    return import_config(read_config(name), title).model


def _fit_code(result: SizingResult) -> int:
    if result.fits:
        return OK
    print(f"Nothing fits. {result.alerts[0].message}", file=sys.stderr)
    return NOTHING_FITS


class _Parser(argparse.ArgumentParser):
    """argparse with errors as sentences, and no guessing of shortened options."""

    def __init__(self, **settings: object) -> None:
        # With a width of its own argparse need not ask for the terminal's, which is slow.
        formatter = partial(argparse.HelpFormatter, width=HELP_WIDTH)
        super().__init__(allow_abbrev=False, formatter_class=formatter, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        sentence = message[0].upper() + message[1:].rstrip(".")
        self.exit(BAD_INPUT, f"{sentence}. See {self.prog} --help.\n")


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,300}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number such as 1000")
    return int(text)


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 0.25")
    return Decimal(text)


def _word(text: str) -> str:
    return text.strip().lower()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="xlsizing", description="How many GPU nodes it takes to serve a language model."
    )
    parser.add_argument("--version", action="version", version=f"xlsizing {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("size", help="size a load and print the answer")
    _add_inputs(command)
    command.add_argument("--json-only", action="store_true", help="print JSON and nothing else")
    command.set_defaults(run=size_command)

    command = commands.add_parser("template", help="write the planning workbook")
    _add_out(command)
    _add_catalogs(command)
    command.set_defaults(run=template_command)

    command = commands.add_parser("report", help="size a load and write the answer as a workbook")
    _add_out(command)
    _add_inputs(command)
    command.set_defaults(run=report_command)

    command = commands.add_parser("kv", help="print what one session costs, by three figures")
    command.add_argument(
        "model", metavar="MODEL|CONFIG.json", help="a model of the catalog, or a published config"
    )
    add = command.add_argument
    add("--context", required=True, type=_whole, metavar="L", help="tokens of the session")
    add(
        "--kv-precision",
        type=_word,
        metavar="P",
        help=f"{' or '.join(BYTES_PER_ELEMENT)} (default: the model's)",
    )
    add(
        "--ssm-state-dtype",
        type=_word,
        metavar="D",
        help=f"{' or '.join(RECURRENT_BYTES)}, for the states of state-space layers "
        "(default: the model's)",
    )
    add("--json", action="store_true", help="print JSON")
    _add_engine(command)
    _add_catalogs(command)
    command.set_defaults(run=kv_command)

    catalog = commands.add_parser("catalog", help="what can be sized")
    actions = catalog.add_subparsers(metavar="ACTION", required=True)
    command = actions.add_parser("list", help="print the names in the catalogs")
    command.add_argument("--json", action="store_true", help="print the names as JSON")
    _add_catalogs(command)
    command.set_defaults(run=catalog_list_command)
    command = actions.add_parser("show", help="print one entry with its sources")
    command.add_argument("name", metavar="NAME", help="a name or an alias")
    _add_catalogs(command)
    command.set_defaults(run=catalog_show_command)
    command = actions.add_parser(
        "import-hf", help="print the entry that a published config.json makes"
    )
    command.add_argument("config", metavar="CONFIG.json", help="a model's published config.json")
    command.add_argument("--name", required=True, metavar="N", help="name of the entry")
    command.set_defaults(run=import_command)
    command = actions.add_parser("validate", help="print every fault of the catalog files")
    _add_catalogs(command)
    command.set_defaults(run=catalog_validate_command)
    return parser


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument("out", metavar="OUT.xlsx", help="the workbook to write")
    command.add_argument("--force", action="store_true", help="replace OUT.xlsx where it exists")


def _add_catalogs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--catalogs",
        metavar="DIR",
        help="folder with models.json, servers.json and storage.json "
        "(default: XLSIZING_CATALOGS, else the shipped catalogs)",
    )


def _add_inputs(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--model", required=True, metavar="NAME", help="model, by name or alias")
    add("--server", required=True, metavar="NAME", help="server, by name or alias")
    add("--storage", required=True, metavar="NAME", help="storage profile, by name or alias")
    add(
        "--concurrency",
        required=True,
        type=_whole,
        metavar="N",
        help="sessions at the same time",
    )
    add(
        "--effective-context",
        required=True,
        type=_whole,
        metavar="TOKENS",
        help="tokens that a session holds",
    )
    add(
        "--kv-precision",
        type=_word,
        metavar="P",
        help=f"{' or '.join(BYTES_PER_ELEMENT)} (default: the model's)",
    )
    add(
        "--kv-budget-ratio",
        type=_decimal,
        default=DEFAULT_KV_BUDGET_RATIO,
        metavar="R",
        help="share of the HBM that is planned for KV caches (default: %(default)s)",
    )
    add(
        "--runtime-overhead-gib",
        type=_decimal,
        default=DEFAULT_RUNTIME_OVERHEAD_GIB,
        metavar="G",
        help="GiB of that share, per node, that the runtime takes (default: %(default)s)",
    )
    add(
        "--peak-headroom-ratio",
        type=_decimal,
        default=DEFAULT_PEAK_HEADROOM_RATIO,
        metavar="H",
        help="share of the load to keep free for peaks (default: %(default)s)",
    )
    add(
        "--ha",
        type=_word,
        default=DEFAULT_HA_MODE,
        metavar="MODE",
        help="none, or n+1 for a spare node (default: %(default)s)",
    )
    _add_engine(command)
    _add_memory(command)
    _add_catalogs(command)


def _add_engine(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("engine").add_argument
    add(
        "--tensor-parallel",
        type=_whole,
        metavar="N",
        help="GPUs that share one copy of the model (default: the smallest that holds a session; "
        "1 for kv)",
    )
    add(
        "--max-num-batched-tokens",
        type=_whole,
        default=DEFAULT_MAX_NUM_BATCHED_TOKENS,
        metavar="N",
        help="tokens that the engine prefills in one step (default: %(default)s)",
    )
    add(
        "--batches-in-flight",
        type=_whole,
        default=DEFAULT_BATCHES_IN_FLIGHT,
        metavar="N",
        help="steps scheduled at the same time (default: %(default)s, as in vLLM 0.33)",
    )
    add(
        "--no-hybrid-manager",
        action="store_true",
        help="windowed layers beside full ones keep the whole context",
    )
    add(
        "--state-caching",
        type=_word,
        default="none",
        metavar="MODE",
        help="none, or align where prefix caching keeps two states a request (default: %(default)s)",
    )
    add("--kv-pool-gib", type=_decimal, metavar="G", help="GiB per GPU for KV caches, if known")


def _add_memory(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("memory of a GPU").add_argument
    add(
        "--gpu-memory-utilization",
        type=_decimal,
        default=DEFAULT_GPU_MEMORY_UTILIZATION,
        metavar="R",
        help="share that the engine may take (default: %(default)s)",
    )
    add(
        "--activation-gib",
        type=_decimal,
        default=DEFAULT_ACTIVATION_GIB,
        metavar="G",
        help="peak of the activations (default: %(default)s)",
    )
    add(
        "--runtime-gib",
        type=_decimal,
        default=DEFAULT_RUNTIME_GIB,
        metavar="G",
        help="graphs, libraries and buffers (default: %(default)s)",
    )
