"""A scenario: one sizing among others, with a name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xlsizing.book.cells import Value
from xlsizing.book.inputs import INPUTS, TENSOR_PARALLEL, input_value
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs, SizingResult

ACTIVE, SWITCHED_OFF = "yes", "no"


@dataclass(frozen=True)
class Scenario:
    """A row of the table Scenarios: what is typed in it, and what its formulas come to."""

    name: str
    active: Value
    typed: Mapping[str, Value]
    """What is typed for each input, by symbol; None where a cell is empty."""
    values: Mapping[str, Value]
    """The value of each formula, by symbol; none of a row that is switched off."""

    @property
    def is_live(self) -> bool:
        """True where the row counts: it is not switched off."""
        return bool(self.values)


def is_named(scenario: Scenario, name: str) -> bool:
    """Whether a typed name finds a scenario, as MATCH does: without regard to case.

    The name is trimmed before; what stands in the table is not.
    """
    return scenario.name.lower() == re.sub(" +", " ", name).strip(" ").lower()


def sized_scenario(name: str, result: SizingResult, catalogs: Catalogs) -> Scenario:
    """The scenario of a sizing that core has done."""
    typed = {asked.symbol: input_value(asked, result) for asked in (*INPUTS, TENSOR_PARALLEL)}
    return Scenario(name, ACTIVE, typed, formula_values(result, catalogs))
