"""The inputs of a sizing and the engine's settings as a report shows them."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from xlsizing.core import SizingResult
from xlsizing.core.exact import grouped, is_number, plain
from xlsizing.core.message import Message, joined

_LABELS: Mapping[str, Message] = {
    "concurrency": Message("Concurrency"),
    "effective_context": Message("Context"),
    "kv_precision": Message("KV precision"),
    "kv_budget_ratio": Message("KV budget ratio"),
    "runtime_overhead_gib": Message("Runtime overhead per node"),
    "peak_headroom_ratio": Message("Peak headroom"),
    "ha_mode": Message("High availability"),
}
_UNITS: Mapping[str, Message] = {
    "concurrency": Message("{count} sessions"),
    "effective_context": Message("{count} tokens"),
}


def input_label(field: str) -> Message:
    """What an input is called, by its field of SizingResult."""
    return _LABELS[field]


def input_text(field: str, value: object) -> str:
    """A value of an input without its unit; what is no value of it stands as it was typed."""
    if value is None:
        return ""
    if isinstance(value, bool) or not is_number(value):
        return str(value)
    assert isinstance(value, int | float | Decimal)
    if field in _UNITS and value == int(value):
        return grouped(int(value))
    return plain(value)


def load_inputs(result: SizingResult) -> Iterator[tuple[str, str]]:
    """Every input of a sizing with its value and unit."""
    yield Message("Model"), result.model.name
    yield Message("Server"), result.server.name
    yield Message("Storage profile"), result.storage.name
    for field, label in _LABELS.items():
        value = input_text(field, getattr(result, field))
        if unit := _UNITS.get(field):
            value = unit.filled(count=value)
        elif field == "runtime_overhead_gib":
            value = joined(" ", (value, "GiB"))
        yield label, value


def engine_settings(result: SizingResult) -> Iterator[tuple[str, str]]:
    """How the engine is started."""
    settings, engine = result.settings, result.engine
    size = settings.tensor_parallel or (engine.tensor_parallel if engine else None)
    asked = (
        Message("asked for")
        if settings.tensor_parallel
        else Message("the smallest that holds a session")
    )
    yield (
        Message("Tensor parallel"),
        Message("{size}, {why}", size="-" if size is None else grouped(size), why=asked),
    )
    yield "max_num_batched_tokens", grouped(settings.max_num_batched_tokens)
    yield Message("Batches in flight"), grouped(settings.batches_in_flight)
    yield (
        Message("Share of a GPU's memory that the engine may take"),
        plain(settings.gpu_memory_utilization),
    )
    yield Message("Activations per GPU"), joined(" ", (plain(settings.activation_gib), "GiB"))
    yield Message("Runtime per GPU"), joined(" ", (plain(settings.runtime_gib), "GiB"))
    yield Message("State caching"), settings.state_caching
    if settings.kv_pool_gib is not None:
        yield Message("KV pool per GPU, given"), joined(" ", (plain(settings.kv_pool_gib), "GiB"))
    if not settings.hybrid_manager:
        yield Message("Hybrid manager"), Message("off: windowed layers keep the whole context")
