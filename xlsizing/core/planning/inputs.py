"""The inputs of a sizing and the engine's settings, as a workbook asks for them."""

from dataclasses import dataclass

from xlsizing.core.message import Message
from xlsizing.core.sizing import SizingResult


@dataclass(frozen=True)
class Input:
    """One input: what formulas call it, what people call it, and what to know about it."""

    symbol: str
    """Name in formulas, and after Input_ in defined names."""
    field: str
    """Name of the field of SizingResult that holds it."""
    label: str
    """Column head in Scenarios."""
    unit: str
    note: str
    """What it is, a typical value, a common mistake."""
    number_format: str = "General"
    choices: str | None = None
    """Defined name of the list that it is chosen from."""
    range_of: str | None = None
    """Key in core's typical ranges."""

    @property
    def defined_name(self) -> str:
        """The name of the input cell on the Sizing sheet."""
        return f"Input_{_DEFINED_NAMES.get(self.symbol, self.symbol)}"

    @property
    def has_aliases(self) -> bool:
        """True where the input is the name of a catalog entry."""
        return self.symbol in ("Model", "Server", "Storage")


_DEFINED_NAMES = {"Context": "EffectiveContext"}

INPUTS: tuple[Input, ...] = (
    Input(
        "Model",
        "model",
        Message("Model"),
        "",
        Message("The model to serve, by name or alias. The list is the Models sheet."),
        choices="List_Models",
    ),
    Input(
        "Server",
        "server",
        Message("Server"),
        "",
        Message(
            "The node to buy or rent. One node may be a server or a rack. The list is the Servers "
            "sheet."
        ),
        choices="List_Servers",
    ),
    Input(
        "Storage",
        "storage",
        Message("Storage"),
        "",
        Message(
            "Where weights and KV caches are read from. It changes alerts, not the number of nodes."
        ),
        choices="List_Storage",
    ),
    Input(
        "Concurrency",
        "concurrency",
        Message("Concurrency"),
        Message("sessions"),
        Message(
            "Sessions that hold a KV cache at the same time. Typical: 100 to 10,000. Not registered "
            "users: of those usually a few percent are active at once."
        ),
        "#,##0",
        range_of="concurrency",
    ),
    Input(
        "Context",
        "effective_context",
        Message("Context"),
        "tokens",
        Message(
            "Tokens that one session holds, prompt and answer together. Typical: 4,096 to 131,072. "
            "Not the model's longest context unless sessions really fill it."
        ),
        "#,##0",
        range_of="effective_context",
    ),
    Input(
        "KvPrecision",
        "kv_precision",
        Message("KV precision"),
        "",
        Message(
            "Precision of the KV cache, not of the weights. Empty: the model's own in the catalog."
        ),
        choices="List_KvPrecisions",
    ),
    Input(
        "KvBudgetRatio",
        "kv_budget_ratio",
        Message("KV budget ratio"),
        Message("share"),
        Message(
            "Share of the node's HBM that is planned for KV caches; the rest is for weights. Typical: "
            "0.70. At most 4 decimals. Empty: the default."
        ),
        "0.00##",
    ),
    Input(
        "RuntimeOverheadGiB",
        "runtime_overhead_gib",
        Message("Runtime overhead GiB"),
        "GiB",
        Message(
            "What the runtime takes of that share, per node and not per GPU. Typical: 120 on 8 GPUs. "
            "At most 2 decimals. Empty: the default."
        ),
        "#,##0.##",
    ),
    Input(
        "PeakHeadroomRatio",
        "peak_headroom_ratio",
        Message("Peak headroom"),
        Message("share"),
        Message(
            "What to keep free for peaks, as a share of the load. Typical: 0.20 for 20 %. A common "
            "mistake is 20, which is 2,000 %. Empty: the default."
        ),
        "0.00##",
    ),
    Input(
        "HA",
        "ha_mode",
        Message("HA"),
        "",
        Message("n+1 adds a spare node, so that one may fail. Empty: none."),
        choices="List_HA",
    ),
)
"""The inputs in the order of the Scenarios table."""

TENSOR_PARALLEL = Input(
    "TensorParallel",
    "settings",
    Message("Tensor parallel"),
    "GPUs",
    Message(
        "GPUs that share one copy of the model. It changes the engine's figures, not the planning "
        "method's, which counts a node's HBM as one pool. Empty: the smallest size that holds a "
        "session."
    ),
    "#,##0",
)
"""The input of the engine's figures that each scenario may have its own of."""


def input_value(asked: Input, result: SizingResult) -> str | int | float | None:
    """What was given for an input, as a cell holds it."""
    if asked is TENSOR_PARALLEL:
        return result.settings.tensor_parallel
    value = getattr(result, asked.field)
    if asked.has_aliases:
        return str(value.name)
    if asked.symbol == "KvPrecision" and value == result.model.default_kv_precision:
        # Left empty, it follows the model that a reader may choose instead.
        return None
    return value if isinstance(value, str | int) else float(value)


@dataclass(frozen=True)
class Setting:
    """One setting of the engine, as the sheet asks for it."""

    name: str
    """Name after Input_."""
    field: str
    """Name of the field of EngineSettings."""
    label: str
    unit: str
    note: str
    number_format: str = "#,##0"
    least: str = "1"
    most: str = "Limit_Exact"

    @property
    def defined_name(self) -> str:
        """The name of its cell."""
        return f"Input_{self.name}"


SETTINGS_ASKED: tuple[Setting, ...] = (
    Setting(
        "MaxNumBatchedTokens",
        "max_num_batched_tokens",
        Message("Batched tokens per step"),
        "tokens",
        Message(
            "max_num_batched_tokens: tokens that the engine prefills in one step. Typical: 2,048 to "
            "16,384. A windowed layer keeps them beside its window."
        ),
    ),
    Setting(
        "BatchesInFlight",
        "batches_in_flight",
        Message("Batches in flight"),
        Message("steps"),
        Message("Steps scheduled at the same time: 2 in vLLM 0.33, 1 in 0.24."),
    ),
    Setting(
        "GpuMemoryUtilization",
        "gpu_memory_utilization",
        Message("GPU memory utilisation"),
        Message("share"),
        Message(
            "gpu_memory_utilization: share of a GPU's memory that the engine may take. Typical: 0.92. "
            "At most 4 decimals."
        ),
        "0.00##",
        "0.0001",
        "1",
    ),
    Setting(
        "ActivationGiB",
        "activation_gib",
        Message("Activation per GPU"),
        "GiB",
        Message(
            "Peak of the activations. Measured on an H100 at 16,384 batched tokens: 1.9 (Llama-3.1-8B) "
            "to 3.4 (Qwen3-30B-A3B). A start-up log says it: `xlsizing calibrate`."
        ),
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
    Setting(
        "RuntimeGiB",
        "runtime_gib",
        Message("Runtime per GPU"),
        "GiB",
        Message("Libraries and buffers, and CUDA graphs where the engine takes them off the pool."),
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
    Setting(
        "StateCaching",
        "state_caching",
        Message("State caching"),
        "",
        Message(
            "Prefix caching of state-space layers: none, or align for two states a request. Empty: none."
        ),
    ),
    Setting(
        "KvPoolGiB",
        "kv_pool_gib",
        Message("KV pool per GPU, if known"),
        "GiB",
        Message(
            'What a start-up log calls "Available KV cache memory". It overrides utilisation, '
            "activation, runtime and weights. Usually empty."
        ),
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
)
