"""Models of published configs, and rows of figures about them that others recorded."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from tests.conftest import PROJECT
from xlsizing.catalog.hf_config import import_config, read_config
from xlsizing.core import Model
from xlsizing.core.layers import RecurrentDtype, StateLayers

DATA = PROJECT / "tests" / "data"
CONFIGS = DATA / "hf_configs"

REFUSED = "deepseek-ai/DeepSeek-V4-Pro"
"""The one model in the rows whose config is refused."""


def rows(file: str, key: str = "rows") -> list[dict[str, Any]]:
    """The rows of a data file."""
    document = json.loads((DATA / file).read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = document[key]
    return found


@cache
def published(name: str) -> Model:
    """The model of a published config, by the name that its publisher gave it."""
    config = read_config(str(CONFIGS / f"{name.replace('/', '-')}.json"))
    return import_config(config, name).model


def with_state_dtype(model: Model, dtype: RecurrentDtype | None) -> Model:
    """The model with its states kept in a dtype; as it is where that is None."""
    if dtype is None:
        return model
    groups = tuple(
        replace(group, recurrent_dtype=dtype) if isinstance(group, StateLayers) else group
        for group in model.layer_groups
    )
    return replace(model, layer_groups=groups)


def row_id(row: Mapping[str, Any]) -> str:
    """A short name of a row, for the tests' own names."""
    keys = ("model", "case", "tp", "max_model_len", "tokens_total")
    return " ".join(str(row[key]) for key in keys if key in row)
