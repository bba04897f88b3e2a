"""How far a workbook counts exactly, and the refusal of loads beyond it."""

from xlsizing.core.capacity import hbm_bytes
from xlsizing.core.errors import SizingError
from xlsizing.core.exact import RATIO_PARTS, in_parts
from xlsizing.core.kv_cache import kv_bytes_per_session
from xlsizing.core.message import Message
from xlsizing.core.sizing import SizingResult

LIMIT_EXACT = 10**14
"""Largest product that every spreadsheet program counts exactly."""

LIMIT_OVERHEAD_GIB = 900_000
"""Largest runtime overhead that a workbook takes [GiB]: its bytes have 15 digits, as many as cells show."""


class WorkbookLimitError(SizingError):
    """A sizing that core can count and a workbook cannot."""

    code = "WORKBOOK_LIMIT"


def is_countable(result: SizingResult) -> bool:
    """Whether a workbook counts this sizing exactly."""
    try:
        require_countable(result)
    except WorkbookLimitError:
        return False
    return True


def require_countable(result: SizingResult) -> None:
    """Raise WorkbookLimitError where a workbook could not count this sizing exactly."""
    at_peak = result.concurrency * (RATIO_PARTS + in_parts(result.peak_headroom_ratio, RATIO_PARTS))
    size = kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)
    too_large = {
        Message("concurrency with its headroom"): at_peak > LIMIT_EXACT,
        "effective_context": result.effective_context > LIMIT_EXACT,
        "runtime_overhead_gib": result.runtime_overhead_gib > LIMIT_OVERHEAD_GIB,
        Message("the KV cache of a session"): size > LIMIT_EXACT,
        Message("the HBM of a node"): hbm_bytes(result.server) > LIMIT_EXACT,
    }
    for what, is_too_large in too_large.items():
        if is_too_large:
            raise WorkbookLimitError(
                Message(
                    "A workbook cannot count this sizing exactly, since {what} is too large for it; use "
                    "`xlsizing size`.",
                    what=what,
                )
            )
