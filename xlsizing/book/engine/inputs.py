"""The engine's settings, as the sheet Engine asks for them."""

from dataclasses import dataclass

from openpyxl.worksheet.datavalidation import DataValidation

from xlsizing.book.engine.page import FIRST, EnginePage
from xlsizing.book.inputs import input_style
from xlsizing.book.names import define
from xlsizing.book.styles import RIGHT, UNDERLINE
from xlsizing.core.engine import EngineSettings


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
        "Batched tokens per step",
        "tokens",
        "max_num_batched_tokens: tokens that the engine prefills in one step. Typical: 2,048 to "
        "16,384. A windowed layer keeps them beside its window.",
    ),
    Setting(
        "BatchesInFlight",
        "batches_in_flight",
        "Batches in flight",
        "steps",
        "Steps scheduled at the same time: 2 in vLLM 0.33, 1 in 0.24.",
    ),
    Setting(
        "GpuMemoryUtilization",
        "gpu_memory_utilization",
        "GPU memory utilisation",
        "share",
        "gpu_memory_utilization: share of a GPU's memory that the engine may take. Typical: 0.92. "
        "At most 4 decimals.",
        "0.00##",
        "0.0001",
        "1",
    ),
    Setting(
        "ActivationGiB",
        "activation_gib",
        "Activation per GPU",
        "GiB",
        "Peak of the activations. Measured on an H100 at 16,384 batched tokens: 1.9 (Llama-3.1-8B) "
        "to 3.4 (Qwen3-30B-A3B). A start-up log says it: `xlsizing calibrate`.",
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
    Setting(
        "RuntimeGiB",
        "runtime_gib",
        "Runtime per GPU",
        "GiB",
        "Libraries and buffers, and CUDA graphs where the engine takes them off the pool.",
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
    Setting(
        "StateCaching",
        "state_caching",
        "State caching",
        "",
        "Prefix caching of state-space layers: none, or align for two states a request. Empty: none.",
    ),
    Setting(
        "KvPoolGiB",
        "kv_pool_gib",
        "KV pool per GPU, if known",
        "GiB",
        'What a start-up log calls "Available KV cache memory". It overrides utilisation, '
        "activation, runtime and weights. Usually empty.",
        "0.00##",
        "0",
        "Limit_GpuGiB",
    ),
)


def write_settings(page: EnginePage, row: int, settings: EngineSettings) -> int:
    """Write the engine's settings; returns the row after them."""
    page.heading(row, "Engine settings", "Value", "", "", "Unit", "Notes")
    for asked in SETTINGS_ASKED:
        row += 1
        page.label(row, asked.label, asked.unit, asked.note)
        given = getattr(settings, asked.field)
        value = given if given is None or isinstance(given, str | int) else float(given)
        style = input_style(asked.number_format, RIGHT, UNDERLINE)
        page.writer.value(row, FIRST, value, style)
        define(page.book, asked.defined_name, "Engine", f"$C${row}")
        _check(page, asked, f"C{row}")
    return row + 1


def _check(page: EnginePage, asked: Setting, cell: str) -> None:
    if asked.name == "StateCaching":
        check = DataValidation(type="list", formula1="List_StateCaching", allow_blank=True)
        check.error = "none or align, or empty for none."
    else:
        whole = asked.number_format == "#,##0"
        check = DataValidation(
            type="whole" if whole else "decimal",
            operator="between",
            formula1=asked.least,
            formula2=asked.most,
            allow_blank=True,
        )
        kind = "A whole number" if whole else "A number"
        check.error = f"{kind} of at least {asked.least}, or empty for the default."
    check.errorTitle = check.promptTitle = asked.label
    check.prompt = asked.note[:255]
    check.showInputMessage = check.showErrorMessage = True
    check.add(cell)
    page.sheet.add_data_validation(check)
