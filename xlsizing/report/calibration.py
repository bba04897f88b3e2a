"""A calibration as people and programs read it: a page and JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from xlsizing.core.calibration import Calibration, Comparison, Figure, Span
from xlsizing.core.exact import Number, grouped, plain
from xlsizing.core.kv_cache import layer_groups
from xlsizing.core.message import Message, joined
from xlsizing.core.vllm_log import shown_places
from xlsizing.language import ENGLISH, Language
from xlsizing.page import Column, Page, Row, Table
from xlsizing.report.engine import cache_document

LABELS: Mapping[Figure, tuple[Message, int]] = {
    "tokens": (Message("Tokens in the KV cache"), 0),
    "concurrency": (Message("Maximum concurrency"), 2),
    "num_blocks": (Message("Blocks"), 0),
    "kv_memory_gib": (Message("KV cache memory, GiB"), 2),
    "weights_gib": (Message("Weights, GiB"), 2),
    "overhead_gib": (Message("Overheads, GiB"), 2),
    "gpu_memory_gib": (Message("GPU memory, GiB"), 2),
    "attention_block": (Message("Attention block, tokens"), 0),
    "state_padding_percent": (Message("Padding of states, %"), 2),
    "padding_layers": (Message("Padding layers"), 0),
}
"""What each figure is called, and its decimals; memory is per GPU."""

COLUMNS = (Message("log"), Message("method"), Message("difference"), Message("by default"))
"""The log, the method with the calibrated settings and with its default overheads."""


def calibration_page(calibration: Calibration) -> Page:
    """The calibration: the figures compared, the settings, and what to mind."""
    return [
        *_heading(calibration),
        "",
        _table(calibration),
        "",
        Message("Settings to use"),
        *(f"  {flag} {value}".rstrip() for flag, value in settings_flags(calibration)),
        *_remarks(calibration),
    ]


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


def calibration_document(calibration: Calibration, language: Language = ENGLISH) -> dict[str, Any]:
    """The calibration as plain values. Figures are not rounded; null is what is not known.

    Its remarks are English unless another language is asked for.
    """
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
        "remarks": [language.say(remark) for remark in calibration.remarks],
    }


def calibration_json(calibration: Calibration, language: Language = ENGLISH) -> str:
    """The document as text, in ASCII, which every pipe and terminal passes on."""
    return json.dumps(calibration_document(calibration, language), indent=2, default=float)


def _heading(calibration: Calibration) -> Iterator[Message]:
    log = calibration.log
    engine = f"vLLM {log.version}" if log.version else None
    yield Message(
        "{model} on {server}, by the log of {engine}",
        model=calibration.model.name,
        server=calibration.server.name,
        engine=engine or Message("vLLM of a version that it does not state"),
    )
    yield Message(
        "requests of {tokens} tokens, KV cache in {precision}, tensor parallel {size}",
        tokens=grouped(log.max_model_len),
        precision=calibration.kv_precision,
        size=str(calibration.settings.tensor_parallel),
    )


def _table(calibration: Calibration) -> Table:
    rows = []
    for comparison in calibration.comparisons:
        label, places = LABELS[comparison.figure]
        if comparison.figure == "concurrency" and calibration.log.concurrency is not None:
            places = shown_places(calibration.log.concurrency)
        values = (
            comparison.logged,
            comparison.calibrated,
            comparison.difference,
            comparison.by_default,
        )
        rows.append(Row((label, *(_cell(value, places) for value in values))))
    labels = Column(24, gap=2, holds=[row.cells[0] for row in rows])
    figures = [Column(14, is_right=True)] * len(COLUMNS)
    return Table([labels, *figures], rows, head=("", *COLUMNS))


def _cell(value: Fraction | None, places: int) -> str:
    return "-" if value is None else grouped(value.numerator, value.denominator, places)


def _remarks(calibration: Calibration) -> Iterator[str]:
    if calibration.remarks:
        yield ""
        yield Message("Remarks")
        yield from (joined("", ("  ", remark)) for remark in calibration.remarks)


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
