"""A row of Scenarios as a person typed it, whether it can be sized or not."""

from collections.abc import Mapping

from xlsizing.book.cells import Value
from xlsizing.book.error_flow import trimmed, words
from xlsizing.book.faults import faulty_values
from xlsizing.book.limits import is_countable
from xlsizing.book.scenario import SWITCHED_OFF, Scenario
from xlsizing.book.typed import typed_load
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs
from xlsizing.core.engine import EngineSettings


def typed_scenario(
    name: str,
    active: Value,
    typed: Mapping[str, Value],
    settings: EngineSettings,
    catalogs: Catalogs,
) -> Scenario:
    """The scenario of a row as a person typed it, whether it can be sized or not.

    Parameters
    ----------
    name, active : what is typed in the columns Scenario and Active.
    typed : what is typed for each input, by symbol.
    settings : the engine's settings, which all rows share.
    """
    if not _is_live(active, typed):
        return Scenario(name, active, typed, {})
    load = typed_load(typed, catalogs)
    if not load.refused:
        result = load.result(settings)
        if is_countable(result):
            return Scenario(name, active, typed, formula_values(result, catalogs))
    return Scenario(name, active, typed, faulty_values(typed, load, settings, catalogs))


def _is_live(active: Value, typed: Mapping[str, Value]) -> bool:
    """Whether a row counts, as the formula of the column Live has it."""
    is_on = active if isinstance(active, bool) else trimmed(active).lower() != SWITCHED_OFF
    return is_on and any(words(typed.get(symbol)) for symbol in _MUST_BE_GIVEN)


_MUST_BE_GIVEN = ("Model", "Server", "Storage", "Concurrency", "Context")
"""Inputs without an answer where they are empty; a row with none of them is not a scenario yet."""
