"""A calibration as people and programs read it: text and JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from xlsizing.core.calibration import Calibration, Comparison, Figure, Span
from xlsizing.core.exact import Number, grouped, plain
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.vllm_log import shown_places
from xlsizing.report.engine import cache_document

LABELS: Mapping[Figure, tuple[str, int]] = {
    "tokens": ("Tokens in the KV cache", 0),
    "concurrency": ("Maximum concurrency", 2),
    "num_blocks": ("Blocks", 0),
    "kv_memory_gib": ("KV cache memory, GiB", 2),
    "weights_gib": ("Weights, GiB", 2),
    "overhead_gib": ("Overheads, GiB", 2),
    "gpu_memory_gib": ("GPU memory, GiB", 2),
    "attention_block": ("Attention block, tokens", 0),
    "state_padding_percent": ("Padding of states, %", 2),
    "padding_layers": ("Padding layers", 0),
}
"""What each figure is called, and its decimals; memory is per GPU."""

COLUMNS = ("log", "method", "difference", "by default")
"""The log, the method with the calibrated settings and with its default overheads."""


def calibration_text(calibration: Calibration) -> str:
    """The calibration as lines, without colours."""
    flags = (f"  {flag} {value}".rstrip() for flag, value in settings_flags(calibration))
    return "\n".join(
        [
            *_heading(calibration),
            "",
            *_table(calibration),
            "",
            "Settings to use",
            *flags,
            *_remarks(calibration),
        ]
    )


def settings_flags(calibration: Calibration) -> list[tuple[str, str]]:
    """The settings as flags of the command line with their values; a switch has none.

    A pool overrides utilisation and overheads, so these are left out beside one.
    """
    settings = calibration.settings
    memory: dict[str, Number | None]
    if settings.kv_pool_gib is None:
        memory = {
            "--gpu-memory-utilization": settings.gpu_memory_utilization,
            "--activation-gib": settings.activation_gib,
            "--runtime-gib": settings.runtime_gib,
        }
    else:
        memory = {"--kv-pool-gib": settings.kv_pool_gib}
    flags = [
        ("--tensor-parallel", str(settings.tensor_parallel)),
        ("--kv-precision", calibration.kv_precision),
        ("--max-num-batched-tokens", str(settings.max_num_batched_tokens)),
        ("--batches-in-flight", str(settings.batches_in_flight)),
        *((flag, plain(value)) for flag, value in memory.items() if value is not None),
    ]
    kinds = {group.kind for group in layer_groups(calibration.model)}
    if calibration.log.state_dtype is not None and "state" in kinds:
        flags.append(("--ssm-state-dtype", calibration.log.state_dtype))
    if settings.state_caching != "none":
        flags.append(("--state-caching", settings.state_caching))
    if not settings.hybrid_manager:
        flags.append(("--no-hybrid-manager", ""))
    return flags


def calibration_document(calibration: Calibration) -> dict[str, Any]:
    """The calibration as plain values. Figures are not rounded; null is what is not known."""
    bound = calibration.bound
    return {
        "model": calibration.model.name,
        "server": calibration.server.name,
        "log": asdict(calibration.log),
        "kv_precision": calibration.kv_precision,
        "settings": asdict(calibration.settings),
        "flags": [part for flag in settings_flags(calibration) for part in flag if part],
        "blocks": _span(calibration.blocks),
        "counting": calibration.counting,
        "overhead_bytes": _span(calibration.overhead_bytes),
        "engine": cache_document(bound.cache, bound.num_blocks),
        "comparisons": [_compared(comparison) for comparison in calibration.comparisons],
        "remarks": list(calibration.remarks),
    }


def calibration_json(calibration: Calibration) -> str:
    """The document as text, in ASCII, which every pipe and terminal passes on."""
    return json.dumps(calibration_document(calibration), indent=2, default=float)


def _heading(calibration: Calibration) -> Iterator[str]:
    log = calibration.log
    engine = f"vLLM {log.version}" if log.version else "vLLM of a version that it does not state"
    yield f"{calibration.model.name} on {calibration.server.name}, by the log of {engine}"
    yield (
        f"requests of {grouped(log.max_model_len)} tokens, KV cache in {calibration.kv_precision}, "
        f"tensor parallel {calibration.settings.tensor_parallel}"
    )


def _table(calibration: Calibration) -> Iterator[str]:
    yield _row("", *COLUMNS)
    for comparison in calibration.comparisons:
        label, places = LABELS[comparison.figure]
        if comparison.figure == "concurrency" and calibration.log.concurrency is not None:
            places = shown_places(calibration.log.concurrency)
        cells = (
            comparison.logged,
            comparison.calibrated,
            comparison.difference,
            comparison.by_default,
        )
        yield _row(label, *(_cell(value, places) for value in cells))


def _row(label: str, *cells: str) -> str:
    return f"{label:<26}" + "".join(f"{cell:>14}" for cell in cells)


def _cell(value: Fraction | None, places: int) -> str:
    return "-" if value is None else grouped(value.numerator, value.denominator, places)


def _remarks(calibration: Calibration) -> Iterator[str]:
    if calibration.remarks:
        yield ""
        yield "Remarks"
        yield from (f"  {remark}" for remark in calibration.remarks)


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "figure": comparison.figure,
        "log": _number(comparison.logged),
        "method": _number(comparison.calibrated),
        "difference": _number(comparison.difference),
        "by_default": _number(comparison.by_default),
    }


def _number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return value.numerator if value.denominator == 1 else float(value)


def _span(span: Span | None) -> dict[str, int] | None:
    return None if span is None else span._asdict()
