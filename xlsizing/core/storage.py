"""Where the storage makes a plan slow.

Source: the planning method, "Alerts". Storage does not change the number of nodes.
"""

from xlsizing.core.alerts import ALERT_RULES, COLD_START_SECONDS, LONG_CONTEXT_TOKENS, Alert
from xlsizing.core.entries import Model, Server, StorageProfile
from xlsizing.core.exact import RATIO_PARTS, Number, grouped, in_parts, plain
from xlsizing.core.kv_cache import clamped_context
from xlsizing.core.units import BYTES_PER_GB


def read_bytes_per_second(storage: StorageProfile) -> int:
    """Read throughput, exactly [bytes/s]."""
    parts = in_parts(storage.throughput_read_gbps, RATIO_PARTS)
    return parts * BYTES_PER_GB // RATIO_PARTS


def storage_alerts(
    storage: StorageProfile, model: Model, effective_context: Number, server: Server
) -> list[Alert]:
    """The alerts LONG_CONTEXT_IO, STORAGE_CLOUD_LATENCY and STORAGE_COLD_START that apply.

    Parameters
    ----------
    storage : the storage profile.
    model : the model, whose weights are read from there where their size is known.
    effective_context : tokens that a session holds, clamped to the model's longest context.
    server : the node that starts.
    """
    context = clamped_context(model, effective_context)
    figures = {
        "storage": storage.name,
        "read_gbps": plain(storage.throughput_read_gbps),
        "read_p99_ms": plain(storage.latency_read_ms_p99),
    }
    alerts = []
    if context > LONG_CONTEXT_TOKENS:
        alerts.append(ALERT_RULES["long_context_io"].alert(context=grouped(context), **figures))
    if storage.type.startswith("cloud_"):
        rule = ALERT_RULES["storage_cloud_latency"]
        alerts.append(rule.alert(storage_type=storage.type, **figures))
    speed = read_bytes_per_second(storage)
    if model.weight_bytes is not None and model.weight_bytes > COLD_START_SECONDS * speed:
        alerts.append(
            ALERT_RULES["storage_cold_start"].alert(
                model=model.name,
                server=server.name,
                weights_gb=grouped(model.weight_bytes, BYTES_PER_GB, 1),
                seconds=grouped(model.weight_bytes, speed),
                **figures,
            )
        )
    return alerts


def generate_storage_warnings(
    storage: StorageProfile, model: Model, effective_context: Number, server: Server
) -> list[str]:
    """The messages of `storage_alerts`, with the same parameters."""
    return [alert.message for alert in storage_alerts(storage, model, effective_context, server)]
