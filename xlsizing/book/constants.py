"""Constants, defaults and limits, by the names that formulas read them by."""

from xlsizing.book.alert_formulas import RULE_DIGITS
from xlsizing.core import (
    DEFAULT_HA_MODE,
    DEFAULT_KV_BUDGET_RATIO,
    DEFAULT_PEAK_HEADROOM_RATIO,
    DEFAULT_RUNTIME_OVERHEAD_GIB,
)
from xlsizing.core.alerts import COLD_START_SECONDS, LONG_CONTEXT_TOKENS
from xlsizing.core.engine import (
    DEFAULT_ACTIVATION_GIB,
    DEFAULT_BATCHES_IN_FLIGHT,
    DEFAULT_GPU_MEMORY_UTILIZATION,
    DEFAULT_MAX_NUM_BATCHED_TOKENS,
    DEFAULT_RUNTIME_GIB,
    LARGEST_GPU_GIB,
)
from xlsizing.core.exact import GIB_PARTS, RATIO_PARTS
from xlsizing.core.message import Message
from xlsizing.core.planning.limits import LIMIT_EXACT, LIMIT_OVERHEAD_GIB
from xlsizing.core.ranges import extreme_above
from xlsizing.core.units import BYTES_PER_GB, BYTES_PER_GIB, BYTES_PER_MIB, BYTES_PER_TIB

NO_SESSION = 0.5
"""What is drawn for no session: below the axis, which is logarithmic and begins at 1."""

Constant = tuple[str, str | float, str, str]

CONSTANTS: tuple[Constant, ...] = (
    (
        "Default_KvBudgetRatio",
        DEFAULT_KV_BUDGET_RATIO,
        Message("share"),
        Message("KV budget ratio, where empty"),
    ),
    (
        "Default_RuntimeOverheadGiB",
        DEFAULT_RUNTIME_OVERHEAD_GIB,
        "GiB",
        Message("Runtime overhead per node, where empty"),
    ),
    (
        "Default_PeakHeadroomRatio",
        DEFAULT_PEAK_HEADROOM_RATIO,
        Message("share"),
        Message("Peak headroom, where empty"),
    ),
    ("Default_HA", DEFAULT_HA_MODE, "", Message("High availability, where empty")),
    (
        "Default_MaxNumBatchedTokens",
        DEFAULT_MAX_NUM_BATCHED_TOKENS,
        "tokens",
        Message("Tokens that the engine prefills in one step, where empty"),
    ),
    (
        "Default_BatchesInFlight",
        DEFAULT_BATCHES_IN_FLIGHT,
        Message("steps"),
        Message("Steps scheduled at the same time, where empty"),
    ),
    (
        "Default_GpuMemoryUtilization",
        DEFAULT_GPU_MEMORY_UTILIZATION,
        Message("share"),
        Message("Share of a GPU's memory that the engine may take, where empty"),
    ),
    (
        "Default_ActivationGiB",
        DEFAULT_ACTIVATION_GIB,
        "GiB",
        Message("Peak of the activations per GPU, where empty"),
    ),
    (
        "Default_RuntimeGiB",
        DEFAULT_RUNTIME_GIB,
        "GiB",
        Message("Runtime and graphs per GPU, where empty"),
    ),
    ("Const_KeyAndValue", 2, Message("vectors"), Message("A token keeps a key and a value")),
    (
        "Const_SixteenBitBytes",
        2,
        Message("bytes"),
        Message("Bytes per element from which fp8 would halve it"),
    ),
    ("Const_BytesPerGB", BYTES_PER_GB, Message("bytes"), Message("GB, as vendors count")),
    ("Const_BytesPerMiB", BYTES_PER_MIB, Message("bytes"), Message("MiB, as drivers count")),
    ("Const_BytesPerGiB", BYTES_PER_GIB, Message("bytes"), Message("GiB, as memory is counted")),
    ("Const_BytesPerTiB", BYTES_PER_TIB, Message("bytes"), Message("TiB, as memory is counted")),
    (
        "Const_RatioParts",
        RATIO_PARTS,
        Message("parts"),
        Message("Ratios are counted in ten-thousandths"),
    ),
    ("Const_GibParts", GIB_PARTS, Message("parts"), Message("GiB are counted in hundredths")),
    (
        "Const_TypedDigits",
        15,
        Message("digits"),
        Message("A number means the decimal that it shows at so many"),
    ),
    ("Const_RuleDigits", RULE_DIGITS, Message("digits"), Message("Alert numbers have so many")),
    (
        "Const_NoSession",
        NO_SESSION,
        Message("sessions"),
        Message("Drawn on Charts for none: below the axis from 1"),
    ),
    ("Limit_Exact", LIMIT_EXACT, "", Message("Largest product that a sheet counts exactly")),
    (
        "Limit_OverheadGiB",
        LIMIT_OVERHEAD_GIB,
        "GiB",
        Message("Largest runtime overhead that a sheet takes"),
    ),
    ("Limit_GpuGiB", LARGEST_GPU_GIB, "GiB", Message("Largest figure per GPU that Engine takes")),
    ("Limit_LongContext", LONG_CONTEXT_TOKENS, "tokens", Message("Above: LONG_CONTEXT_IO")),
    ("Limit_ColdStartSeconds", COLD_START_SECONDS, "s", Message("Above: STORAGE_COLD_START")),
    (
        "Limit_ExtremeContext",
        extreme_above("effective_context"),
        "tokens",
        Message("Above: OUT_OF_TYPICAL_RANGE"),
    ),
    (
        "Limit_ExtremeNodes",
        extreme_above("nodes"),
        Message("nodes"),
        Message("Above: OUT_OF_TYPICAL_RANGE"),
    ),
)
