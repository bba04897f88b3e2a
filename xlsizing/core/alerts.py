"""What a plan is warned of: codes, severities and texts.

Source: the planning method, "Alerts". The texts here are the only ones: the command
line fills them in, and the workbook's formulas are made from them.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from xlsizing.core.exact import grouped
from xlsizing.core.message import Message

LONG_CONTEXT_TOKENS = 128_000
"""Above this context, prefill and reload press on storage reads [tokens]."""

COLD_START_SECONDS = 60
"""Above this, reading the weights is a slow start [s]."""

Severity = Literal["error", "warning", "info"]

SEVERITIES: Mapping[Severity, Message] = {
    "error": Message("error"),
    "warning": Message("warning"),
    "info": Message("info"),
}
"""The severities in words."""


class Alert(NamedTuple):
    """Something unsafe or unusual about a plan, and what to do about it."""

    code: str
    severity: Severity
    message: str
    recommendation: str
    rule: str = ""
    """Key of the alert's rule in ALERT_RULES; one code may have several rules."""


class AlertRule(NamedTuple):
    """The texts of one kind of alert; {words in braces} stand for figures and names."""

    key: str
    code: str
    severity: Severity
    when: Message
    message: Message
    recommendation: Message

    def alert(self, **values: str) -> Alert:
        """The alert with its figures put in."""
        return Alert(
            self.code,
            self.severity,
            self.message.filled(**values),
            self.recommendation.filled(**values),
            self.key,
        )


_IN_ORDER = (
    AlertRule(
        "hbm_budget_insufficient",
        "HBM_BUDGET_INSUFFICIENT",
        "error",
        Message("No session fits on a node."),
        Message(
            "One session of {model} needs {kv_gib} GiB of KV cache, but the KV budget of one {server} "
            "node is {budget_gib} GiB: {short_gib} GiB ({short_bytes} bytes) too little."
        ),
        Message("One session fits with any one of these: {budget_remedies}."),
    ),
    AlertRule(
        "weights_not_covered",
        "WEIGHTS_NOT_COVERED",
        "error",
        Message("The weights are larger than the HBM that the KV budget leaves."),
        Message(
            "The weights of {model} take {weights_gib} GiB, but the KV budget leaves {left_gib} GiB "
            "of one {server} node's HBM for them."
        ),
        Message("The weights fit with any one of these: {weights_remedies}."),
    ),
    AlertRule(
        "invalid_tp",
        "INVALID_TP",
        "error",
        Message("The tensor-parallel size does not suit the model or the server."),
        Message(
            "A tensor-parallel size of {tensor_parallel} cannot serve {model} on {server}: a node has "
            "{gpus} GPUs, and ranks can share the model at the sizes {tensor_parallel_sizes}."
        ),
        Message(
            "Choose one of these sizes that a node has GPUs for, or leave it to the smallest that "
            "holds a session."
        ),
    ),
    AlertRule(
        "context_clamped",
        "CONTEXT_CLAMPED",
        "warning",
        Message("The context asked for is longer than the model supports."),
        Message(
            "A context of {typed_context} tokens was asked for; {model} supports {max_context}, so it "
            "is clamped to {max_context}."
        ),
        Message(
            "Plan with the model's longest context or less, or choose a model that supports more."
        ),
    ),
    AlertRule(
        "kv_precision_16bit",
        "KV_PRECISION_16BIT",
        "warning",
        Message("The KV cache is kept in 16 bits."),
        Message("The KV cache is kept in {precision}, 2 bytes per element; fp8 would halve it."),
        Message(
            "Use fp8 where the engine supports it and a test shows that the answers stay good enough."
        ),
    ),
    AlertRule(
        "long_context_io",
        "LONG_CONTEXT_IO",
        "warning",
        Message("The context is longer than {limit} tokens.", limit=grouped(LONG_CONTEXT_TOKENS)),
        Message(
            "A context of {context} tokens presses on storage reads in prefill and reload: {storage} "
            "reads {read_gbps} GB/s with {read_p99_ms} ms at p99."
        ),
        Message("Measure prefill and KV reload times on this storage before promising a latency."),
    ),
    AlertRule(
        "storage_cloud_latency",
        "STORAGE_CLOUD_LATENCY",
        "warning",
        Message("The storage is a cloud service."),
        Message("{storage} is {storage_type}, with a read latency of {read_p99_ms} ms at p99."),
        Message("Keep weights and KV reloads on local NVMe, or cache them there."),
    ),
    AlertRule(
        "storage_cold_start",
        "STORAGE_COLD_START",
        "warning",
        Message(
            "Reading the weights takes more than {limit} seconds.",
            limit=grouped(COLD_START_SECONDS),
        ),
        Message(
            "Reading the {weights_gb} GB of {model} from {storage} at {read_gbps} GB/s takes "
            "{seconds} s before one {server} node serves."
        ),
        Message("Keep a copy of the weights on faster storage, or keep spare nodes warm."),
    ),
    AlertRule(
        "engine_needs_more_nodes",
        "ENGINE_NEEDS_MORE_NODES",
        "warning",
        Message("The engine bound needs more nodes than the plan."),
        Message(
            "The engine admits {engine_sessions} sessions of {context} tokens on a node, where the "
            "plan counts {sessions_per_node}: for the load it takes {engine_nodes} nodes instead of "
            "{nodes}."
        ),
        Message(
            "Plan with the engine's nodes where every session may be in prefill at its full length at "
            "the same time; steady decode says what it takes once prefills are over."
        ),
    ),
    AlertRule(
        "engine_holds_none",
        "ENGINE_NEEDS_MORE_NODES",
        "warning",
        Message("The engine holds no session on a node."),
        Message(
            "Beside the weights the engine has no room for one session of {context} tokens on a "
            "{server} node, where the plan counts {sessions_per_node}."
        ),
        Message(
            "Choose a server with more memory, a shorter context, or fewer max_num_batched_tokens."
        ),
    ),
    AlertRule(
        "kv_replicated",
        "KV_REPLICATED",
        "warning",
        Message("GPUs that share one copy of the model hold the same KV cache."),
        Message(
            "At a tensor-parallel size of {used_tensor_parallel}, {kv_copies} GPUs hold the same KV cache "
            "of {model}: it takes {kv_copies} times the memory."
        ),
        Message(
            "Use a smaller tensor-parallel size, or data parallelism for the attention layers where "
            "the engine has it."
        ),
    ),
    AlertRule(
        "context_out_of_typical_range",
        "OUT_OF_TYPICAL_RANGE",
        "info",
        Message("The context is in its Extreme band."),
        Message("A context of {context} tokens is in the Extreme band, above {context_limit}."),
        Message("Check that every session really holds this much at the same time."),
    ),
    AlertRule(
        "nodes_out_of_typical_range",
        "OUT_OF_TYPICAL_RANGE",
        "info",
        Message("The number of nodes is in its Extreme band."),
        Message("{nodes} nodes are in the Extreme band, above {nodes_limit}."),
        Message("Check the load, and compare with a larger server or a smaller KV cache."),
    ),
    AlertRule(
        "model_unsourced",
        "CATALOG_UNSOURCED",
        "info",
        Message("The model's entry has figures without a source."),
        Message("The catalog names no source for these figures of model {model}: {model_fields}."),
        Message("Add the sources to the catalog entry before the plan is relied on."),
    ),
    AlertRule(
        "server_unsourced",
        "CATALOG_UNSOURCED",
        "info",
        Message("The server's entry has figures without a source."),
        Message(
            "The catalog names no source for these figures of server {server}: {server_fields}."
        ),
        Message("Add the sources to the catalog entry before the plan is relied on."),
    ),
    AlertRule(
        "storage_unsourced",
        "CATALOG_UNSOURCED",
        "info",
        Message("The storage profile's entry has figures without a source."),
        Message(
            "The catalog names no source for these figures of storage profile {storage}: "
            "{storage_fields}."
        ),
        Message("Add the sources to the catalog entry before the plan is relied on."),
    ),
)

ALERT_RULES: Mapping[str, AlertRule] = {rule.key: rule for rule in _IN_ORDER}
"""Every alert rule by key, in the order in which alerts are given."""


def in_order(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Alerts in the order of their rules."""
    order = list(ALERT_RULES)
    return tuple(sorted(alerts, key=lambda alert: order.index(alert.rule)))


STATUS_OK = "OK"

_STATUSES: Mapping[str, str] = {
    "hbm_budget_insufficient": Message("Nothing fits: not one session on a node."),
    "weights_not_covered": Message("Unsafe: the weights do not fit beside the KV budget."),
}
STATUS_NOTHING_FITS, STATUS_UNSAFE = _STATUSES.values()


def plan_status(alerts: Iterable[Alert]) -> str:
    """OK, or in a few words what is wrong with a plan that has these alerts."""
    rules = {alert.rule for alert in alerts}
    return next((words for rule, words in _STATUSES.items() if rule in rules), STATUS_OK)


WEIGHTS_KNOWN = Message("{weights_gib} GiB of the {left_gib} GiB beside the KV budget")
WEIGHTS_UNKNOWN = Message("not checked: the catalog has no size of the weights")

REMEDIES: Mapping[str, Message] = {
    "ratio_at_least": Message("kv_budget_ratio of at least {figure}"),
    "overhead_at_most": Message("runtime_overhead_gib of at most {figure}"),
    "context_at_most": Message("effective_context of at most {figure}"),
    "kv_precision_fp8": Message("kv_precision fp8"),
    "ratio_at_most": Message("kv_budget_ratio of at most {figure}"),
    "hbm_at_least": Message("a node with at least {figure} GiB of HBM"),
    "ratio_and_hbm": Message("a smaller kv_budget_ratio together with a node with more HBM"),
}
"""The single changes that would mend a budget, each with the figure that just does it."""
