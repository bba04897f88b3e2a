"""The scenarios that a report compares."""

from typing import NamedTuple


class ScenarioLine(NamedTuple):
    """One scenario: what it asks for, and what that takes."""

    name: str
    inputs: tuple[object, object, object, object]
    """Concurrency, context, peak headroom and HA mode, as they are typed."""
    nodes_minimum: int | None
    nodes_with_headroom: int | None
    nodes_final: int | None
    status: str
    """OK, or what is wrong with it."""
