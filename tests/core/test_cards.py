"""Sessions that a card really held, between the engine bound and the planning formula.

transformers on one H100 with 78.664 GiB free at the start, 32,768 tokens a session in 16
bits, sessions held until the card was out of memory.
"""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.core.published import published
from xlsizing.core import Model, Server
from xlsizing.core.engine import EngineBound, engine_bound
from xlsizing.core.kv_cache import session_cost
from xlsizing.core.units import BYTES_PER_GIB

TOKENS = 32_768


def _bytes(gib: str) -> int:
    return int(Decimal(gib) * BYTES_PER_GIB)


FREE = _bytes("78.664")
CARD = Server(name="card", gpus=1, hbm_per_gpu_gb=80, usable_hbm_per_gpu_bytes=FREE)


class Held(NamedTuple):
    """One model on the card: its weights, what the formula promised, and what was held."""

    repository: str
    weights_gib: str
    promised: int
    held: int

    @property
    def model(self) -> Model:
        """The model of the published config, with these weights."""
        return replace(published(self.repository), weight_bytes=_bytes(self.weights_gib))

    @property
    def planned(self) -> int:
        """Sessions by the planning formula, in all that the weights leave."""
        cost = session_cost(self.model).kv_bytes(TOKENS, 2)
        return (FREE - _bytes(self.weights_gib)) // cost

    @property
    def bound(self) -> EngineBound:
        """The engine bound with its defaults."""
        return engine_bound(self.model, CARD, TOKENS, "bf16", 1, 0, "none")


CARDS = (
    Held("meta-llama/Meta-Llama-3.1-8B", "14.957", 15, 15),
    Held("openai/gpt-oss-20b", "38.988", 52, 51),
    Held("deepseek-ai/DeepSeek-V2-Lite", "29.288", 52, 51),
    Held("google/gemma-3-12b-it", "21.948", 24, 18),
)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.repository)
def test_a_card_held_at_least_the_engine_bound_and_at_most_the_plan(card: Held) -> None:
    assert card.planned == card.promised
    assert 0 < card.bound.sessions_per_node <= card.held <= card.planned
