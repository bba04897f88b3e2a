"""Counts of a sizing, exactly, and as people read them."""

from xlsizing.core import SizingResult, kv_bytes_per_session
from xlsizing.core.exact import grouped
from xlsizing.core.message import Message, one_or_many

NONE_FITS = Message("none fits")


def session_bytes(result: SizingResult) -> int:
    """KV cache of one session of a sizing [bytes]."""
    return kv_bytes_per_session(result.model, result.effective_context, result.kv_precision)


def count_text(value: int | None) -> str:
    """A count; "none fits" for None."""
    return NONE_FITS if value is None else grouped(value)


def nodes_text(nodes: int | None) -> Message:
    """A number of nodes; "no nodes" for None."""
    if nodes is None:
        return Message("no nodes")
    return one_or_many("{nodes} node", "{nodes} nodes", nodes, nodes=grouped(nodes))
