"""What the start-up log of a vLLM server says about its memory.

The lines are found wherever they stand: behind timestamps, process names and colours,
in any order, repeated by several workers, and broken between two words.
"""

from xlsizing.core.vllm_log.figures import (
    LogError,
    VllmLog,
    memory_range,
    rounded_range,
    shown_places,
)
from xlsizing.core.vllm_log.reading import MOST_BYTES, MOST_CHARACTERS, log_text, read_log

__all__ = [
    "MOST_BYTES",
    "MOST_CHARACTERS",
    "LogError",
    "VllmLog",
    "log_text",
    "memory_range",
    "read_log",
    "rounded_range",
    "shown_places",
]
