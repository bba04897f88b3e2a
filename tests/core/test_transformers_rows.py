"""What transformers' caches hold, tensor by tensor, against our figures for published configs."""

from math import prod
from typing import Any

import pytest

from tests.core.published import REFUSED, published, row_id, rows
from xlsizing.core.transformers_cache import transformers_bytes

ROWS = rows("hf_cache_rows.json")
IMPORTED = [row for row in ROWS if row["model"] != REFUSED]
BYTES = {"bfloat16": 2, "float32": 4}


def test_there_are_rows_of_every_kind_of_model() -> None:
    assert len(ROWS) == 136
    assert len(IMPORTED) == 133
    assert len({row["model"] for row in IMPORTED}) == 44


@pytest.mark.parametrize("row", IMPORTED, ids=row_id)
def test_a_session_holds_what_the_cache_holds(row: dict[str, Any]) -> None:
    tensors = sum(
        group["count"] * prod(shape) * BYTES[dtype]
        for group in row["layer_groups"]
        for _, shape, dtype in group["tensors"]
    )
    assert tensors == row["total_bytes"]
    assert transformers_bytes(published(row["model"]), row["tokens_total"]) == tensors
