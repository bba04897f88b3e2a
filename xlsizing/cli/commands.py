"""What each command does; heavy imports stand where they are used, so that `size` starts fast."""

import argparse
import os
import sys

from xlsizing.catalog import catalog_folder, load_catalogs
from xlsizing.cli.codes import NOTHING_FITS, OK
from xlsizing.core import Catalogs, Model, SizingResult, size
from xlsizing.core.engine import EngineSettings
from xlsizing.core.kv_cache import with_recurrent_dtype


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
    from xlsizing.core.kv_cache import resolved_precision, whole_number
    from xlsizing.report.session import session, session_json, session_text

    model = _with_state_dtype(_model(options), options)
    context = whole_number("context", options.context)
    precision = resolved_precision(model, options.kv_precision)
    found = session(model, context, precision, _settings(options))
    print(session_json(found) if options.json else session_text(found))
    return OK


def calibrate_command(options: argparse.Namespace) -> int:
    """Print the engine settings that reproduce a start-up log."""
    from xlsizing.core.calibration import calibrate
    from xlsizing.core.vllm_log import log_text, read_log
    from xlsizing.report.calibration import calibration_json, calibration_text

    found = calibrate(
        _model(options),
        load_catalogs(options.catalogs).server(options.server),
        read_log(log_text(_log_bytes(options.log))),
        kv_precision=options.kv_precision,
        tensor_parallel=options.tensor_parallel,
        gpu_memory_utilization=options.gpu_memory_utilization,
        max_num_batched_tokens=options.max_num_batched_tokens,
        batches_in_flight=options.batches_in_flight,
    )
    print(calibration_json(found) if options.json else calibration_text(found))
    return OK


def _log_bytes(name: str) -> bytes:
    """A log from a file or, as -, from standard input; a byte more than it may have."""
    from pathlib import Path

    from xlsizing.core.vllm_log import MOST_BYTES, LogError

    if name == "-":
        if sys.stdin is None:
            raise LogError("Standard input is closed; give a log there, or a file's name.")
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise LogError(f"{name} cannot be read ({reason}); give a log, or - for input.") from error


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
