"""What each command does; heavy imports stand where they are used, so that `size` starts fast."""

import argparse
import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from xlsizing.catalog import catalog_folder
from xlsizing.cli.catalogs import read_catalogs
from xlsizing.cli.codes import DIFFERENCE, NOTHING_FITS, OK
from xlsizing.core import Catalogs, Model, SizingError, SizingResult, size
from xlsizing.core.engine import EngineSettings
from xlsizing.core.errors import InvalidValueError
from xlsizing.core.kv_cache import with_recurrent_dtype
from xlsizing.core.message import Message, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from xlsizing.book.hosts import Host
    from xlsizing.book.plan import Plan
    from xlsizing.book.scenario import Scenario
    from xlsizing.cli.output import Output
    from xlsizing.excel.doctor import WorkbookFacts
    from xlsizing.language import Language
    from xlsizing.page import Page


def size_command(options: argparse.Namespace) -> int:
    """Size a load and print the answer."""
    from xlsizing.report.document import json_text

    result = _sizing(options, read_catalogs(options))
    _tell_sized(result, options.output)
    if not options.json_only:
        from xlsizing.report.text import sizing_page

        options.output.show([*sizing_page(result), ""])
    print(json_text(result, options.json_language))
    return _fit_code(result, options.output)


def template_command(options: argparse.Namespace) -> int:
    """Write the planning workbook."""
    # Loaded before the slow imports, so that a wrong folder is told at once.
    catalogs = read_catalogs(options)
    from xlsizing.book.build import template
    from xlsizing.book.saving import require_writable, save_workbook

    host = _host(options.host, catalogs)
    require_writable(options.out, options.force, host.suffix)
    content = template(catalogs, made_on=_made_on(options), host=host, language=options.language)
    path = save_workbook(options.out, content, options.force, host.suffix)
    options.output.wrote(path)
    return OK


def _host(name: str, catalogs: Catalogs) -> "Host":
    """What a planning workbook computes the functions with, by its name on the command line."""
    from xlsizing.book.hosts import PLAIN_WORKBOOK, SERVER_WORKBOOK

    for host in (PLAIN_WORKBOOK, SERVER_WORKBOOK):
        if name == host.name:
            return host
    if name == "classic":
        from xlsizing.book.classic import CLASSIC_WORKBOOK

        return CLASSIC_WORKBOOK
    if name == "lite":
        from xlsizing.book.lite import lite_workbook
        from xlsizing.excel.lite import code

        return lite_workbook(code(catalogs))
    raise InvalidValueError("--host", name, Message("none, classic, lite or server"))


def report_command(options: argparse.Namespace) -> int:
    """Size a load, or those of a workbook, print the answer and write it as a workbook."""
    from xlsizing.book.build import report
    from xlsizing.book.presets import presets
    from xlsizing.book.saving import require_apart, require_writable, save_workbook
    from xlsizing.cli.report_forms import forms_asked, said_of, save_form
    from xlsizing.core.planning.presets import AS_ASKED, with_changed
    from xlsizing.report.text import sizing_page

    made_on = _made_on(options)
    if options.source is not None:
        require_apart(options.out, options.source)
    require_writable(options.out, options.force)
    forms = forms_asked(options)
    draw = _pdf_of(options, made_on) if options.pdf else None
    catalogs = read_catalogs(options)
    if options.source is None:
        result = _sizing(options, catalogs)
        base: str = AS_ASKED
        scenarios: Sequence[Scenario] = presets(
            result, catalogs, with_changed(_presets(options)), options.language
        )
        compared: Sequence[Scenario] = ()
    else:
        plan = _plan(options, catalogs)
        result, compared = plan.result, plan.scenarios
        scenarios, base = compared, plan.base
        if not scenarios:
            scenarios = presets(result, catalogs, language=options.output.language)
            base = AS_ASKED
    language = options.output.language
    said = said_of(result, scenarios, language)
    content = report(
        result,
        catalogs,
        scenarios,
        base,
        made_on=made_on,
        language=language,
        content=said.report,
    )
    with options.output.progress(Message("Drawing the PDF")) if draw else nullcontext():
        pdf = draw(content, language) if draw else None
    contents = [(form, form.content(said, content)) for form in forms]
    written = [save_workbook(options.out, content, options.force), *([pdf()] if pdf else [])]
    written += [save_form(form, made, force=options.force) for form, made in contents]
    _tell_sized(result, options.output)
    options.output.show([*sizing_page(result), "", *_scenario_page(compared)])
    for path in written:
        options.output.wrote(path)
    return _fit_code(result, options.output)


def _presets(options: argparse.Namespace) -> "list[str]":
    """The presets that are to be changed, which may be called as the report calls them."""
    from xlsizing.core.catalogs import name_key
    from xlsizing.core.planning.presets import PRESETS

    known = {name_key(options.language.say(name)): name for name in PRESETS}
    given = (text.partition("=") for text in options.preset)
    return [known.get(name_key(name), name) + sign + rest for name, sign, rest in given]


def _plan(options: argparse.Namespace, catalogs: Catalogs) -> "Plan":
    """What a workbook asks for; what differs from the catalogs is told on standard error.

    Where no language is asked for, what is said from here on is in the workbook's.
    """
    from xlsizing.book.plan import plan_of
    from xlsizing.book.reading import read_workbook

    output: Output = options.output
    workbook = read_workbook(options.source)
    output.read(options.source)
    if not options.is_language_asked and workbook.language:
        output.language = workbook.language
    plan = plan_of(workbook, catalogs, output.language)
    for note in plan.notes:
        output.note(Message("Note: {note}", note=note))
    return plan


def _scenario_page(scenarios: "Sequence[Scenario]") -> "Page":
    """The rows of Scenarios that count; nothing where none does."""
    from xlsizing.report.scenarios import scenario_page

    lines = []
    for number, scenario in enumerate(scenarios, start=1):
        if scenario.is_live:
            nodes, status = scenario.values["NodesFinal"], str(scenario.values["Status"])
            unnamed = Message("Scenario {number}", number=str(number))
            name = scenario.name.strip() or unnamed
            lines.append((name, nodes if isinstance(nodes, int) else None, status))
    return scenario_page(lines)


def _pdf_of(
    options: argparse.Namespace, made_on: "date | None"
) -> "Callable[[bytes, Language], Callable[[], Path]]":
    """How a workbook becomes the PDF beside it: drawn first, then saved.

    Raises a sentence where the PDF could not be drawn or saved, before anything is written.
    """
    from xlsizing.book.pdf import drawn, office, require_pdf_writable, save_pdf

    target, program = require_pdf_writable(options.out, force=options.force), office()

    def draw(content: bytes, language: "Language") -> "Callable[[], Path]":
        pdf = drawn(content, program, made_on, language)
        return lambda: save_pdf(target, pdf)

    return draw


def _made_on(options: argparse.Namespace) -> "date | None":
    """The date that a workbook bears: what is asked for, or SOURCE_DATE_EPOCH's, or none."""
    from datetime import UTC, datetime

    given, epoch = options.date, os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        try:
            return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError as error:
            raise InvalidValueError("--date", given, Message("a day such as 2026-11-23")) from error
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        right = Message("the seconds since 1970 of a day that there is, or not set")
        raise InvalidValueError("SOURCE_DATE_EPOCH", epoch, right) from error


def kv_command(options: argparse.Namespace) -> int:
    """Print what one session costs, by the planning formula, in transformers and in the engine."""
    from xlsizing.core.kv_cache import resolved_precision, whole_number
    from xlsizing.report.session import session, session_json, session_page

    model = _with_state_dtype(_model(options), options)
    context = whole_number("context", options.context)
    precision = resolved_precision(model, options.kv_precision)
    found = session(model, context, precision, _settings(options))
    if options.json:
        print(session_json(found, options.json_language))
    else:
        options.output.show(session_page(found))
    return OK


def calibrate_command(options: argparse.Namespace) -> int:
    """Print the engine settings that reproduce a start-up log."""
    from xlsizing.core.calibration import calibrate
    from xlsizing.core.vllm_log import log_text, read_log
    from xlsizing.report.calibration import calibration_json, calibration_page

    log = _log_bytes(options.log)
    if options.log == "-":
        options.output.detail(Message("Read standard input."))
    else:
        options.output.read(options.log)
    catalogs = read_catalogs(options)
    found = calibrate(
        _model(options, catalogs),
        catalogs.server(options.server),
        read_log(log_text(log)),
        kv_precision=options.kv_precision,
        tensor_parallel=options.tensor_parallel,
        gpu_memory_utilization=options.gpu_memory_utilization,
        max_num_batched_tokens=options.max_num_batched_tokens,
        batches_in_flight=options.batches_in_flight,
    )
    if options.json:
        print(calibration_json(found, options.json_language))
    else:
        options.output.show(calibration_page(found))
    return OK


def _log_bytes(name: str) -> bytes:
    """A log from a file or, as -, from standard input; a byte more than it may have."""
    from pathlib import Path

    from xlsizing.core.vllm_log import MOST_BYTES, LogError

    if name == "-":
        if sys.stdin is None:
            raise LogError(Message("Standard input is closed; give a log there, or a file's name."))
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or Message("it cannot be opened")
        raise LogError(
            Message(
                "{name} cannot be read ({reason}); give a log, or - for input.",
                name=name,
                reason=reason,
            )
        ) from error


def doctor_command(options: argparse.Namespace) -> int:
    """Print what is wrong with this machine, and the one thing to do about each problem."""
    from xlsizing.excel.doctor import Case, Outcome, examined
    from xlsizing.excel.doctor.report import doctor_json, doctor_page
    from xlsizing.excel.doctor.this_machine import this_machine

    workbook = None if options.workbook is None else _workbook_facts(options.workbook)
    with options.output.progress(Message("Checking")):
        found = examined(Case(this_machine(), workbook, options.catalogs))
    if options.json:
        print(doctor_json(found, options.json_language))
    else:
        options.output.show(doctor_page(found))
    is_wrong = any(finding.outcome is Outcome.PROBLEM for _, finding in found)
    return DIFFERENCE if is_wrong else OK


def _workbook_facts(name: str) -> "WorkbookFacts":
    """What a workbook has for a host, or why it cannot be told."""
    from xlsizing.excel.doctor import WorkbookFacts

    if "://" in name:
        return WorkbookFacts(name)
    path = os.path.abspath(name)
    try:
        from xlsizing.book.hosting import read_hosting

        hosting = read_hosting(path)
    except SizingError as error:
        return WorkbookFacts(path, fault=str(error))
    except ImportError as error:
        # The doctor must also work where an installation is broken.
        told = Message("{file} cannot be looked into: {reason}.", file=path, reason=str(error))
        return WorkbookFacts(path, hindrance=told)
    return WorkbookFacts(
        path,
        has_macros=hosting.has_macros,
        has_wrappers=hosting.has_wrappers,
        has_lite_code=hosting.has_lite_code,
        catalogs=hosting.catalogs,
        settings=hosting.settings,
    )


def import_command(options: argparse.Namespace) -> int:
    """Print the catalog entry that a published config.json makes, and where each figure is from."""
    import json

    from xlsizing.catalog.hf_config import entry_json, import_config, read_config

    imported = import_config(read_config(options.config), options.name)
    options.output.read(options.config)
    print(json.dumps(entry_json(imported), indent=2))
    for reading in imported.readings:
        figure = f"{reading.field} = {reading.value}"
        options.output.note(joined("  <-  ", (figure, reading.source)))
    return OK


def catalog_list_command(options: argparse.Namespace) -> int:
    """Print the names in the catalogs."""
    catalogs = read_catalogs(options)
    listed = {
        "models": [model.name for model in catalogs.models],
        "servers": [server.name for server in catalogs.servers],
        "profiles": [profile.name for profile in catalogs.profiles],
    }
    if options.json:
        import json

        print(json.dumps(listed, indent=2))
    else:
        from xlsizing.report.entry import names_page

        titles = (Message("models:"), Message("servers:"), Message("profiles:"))
        options.output.show(names_page(dict(zip(titles, listed.values(), strict=True))))
    return OK


def catalog_show_command(options: argparse.Namespace) -> int:
    """Print one catalog entry with its sources."""
    from xlsizing.report.entry import entry_page

    first, *others = map(entry_page, read_catalogs(options).named(options.name))
    options.output.show([*first, *(block for page in others for block in ("", *page))])
    return OK


def catalog_validate_command(options: argparse.Namespace) -> int:
    """Print every fault of the catalog files."""
    from xlsizing.catalog.errors import CatalogError
    from xlsizing.catalog.validation import folder_faults

    folder = catalog_folder(options.catalogs)
    if faults := folder_faults(folder):
        raise CatalogError(faults)
    catalogs = read_catalogs(options)
    told = Message(
        "No faults. Models: {models}, servers: {servers}, storage profiles: {profiles}.",
        models=str(len(catalogs.models)),
        servers=str(len(catalogs.servers)),
        profiles=str(len(catalogs.profiles)),
    )
    options.output.done(told)
    return OK


def serve_command(options: argparse.Namespace) -> int:
    """Serve the functions and scripts to Excel until it is ended."""
    from xlsizing.excel.server.serving import listen

    server = listen(options.host, options.port, options.workers, options.language, options.catalogs)
    told = Message(
        "Serving at {address}; Ctrl+C ends it. The manifest is at {manifest}.",
        address=server.address,
        manifest=server.manifest,
    )
    # Told quietly, too: with --port 0 nobody else knows the port.
    options.output.tell(told)
    server.serve()
    return OK


def _sizing(options: argparse.Namespace, catalogs: Catalogs) -> SizingResult:
    return size(
        _with_state_dtype(catalogs.model(options.model), options),
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


def _tell_sized(result: SizingResult, output: "Output") -> None:
    """Tell what was computed, where that is asked for."""
    output.detail(
        Message(
            "Sized {load} of {model} on {server} with {storage}.",
            load=result.load,
            model=result.model.name,
            server=result.server.name,
            storage=result.storage.name,
        )
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


def _with_state_dtype(model: Model, options: argparse.Namespace) -> Model:
    dtype = getattr(options, "ssm_state_dtype", None)
    return with_recurrent_dtype(model, dtype) if dtype else model


def _model(options: argparse.Namespace, catalogs: Catalogs | None = None) -> Model:
    """The model that an argument names: an entry of the catalog, or a config.json.

    The catalogs are read only where they are needed, and not given.
    """
    name: str = options.model
    if not name.lower().endswith(".json"):
        return (read_catalogs(options) if catalogs is None else catalogs).model(name)
    from xlsizing.catalog.hf_config import import_config, read_config

    title = os.path.splitext(os.path.basename(name))[0]
    model = import_config(read_config(name), title).model
    options.output.read(name)
    return model


def _fit_code(result: SizingResult, output: "Output") -> int:
    if result.fits:
        return OK
    output.fault(Message("Nothing fits. {why}", why=result.alerts[0].message))
    return NOTHING_FITS
