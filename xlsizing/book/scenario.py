"""A scenario: one sizing among others, with a name."""

from collections.abc import Mapping
from dataclasses import dataclass

from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs, SizingResult
from xlsizing.core.planning.cells import Value
from xlsizing.core.planning.inputs import INPUTS, TENSOR_PARALLEL, input_value
from xlsizing.core.planning.plan import ACTIVE


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


def sized_scenario(name: str, result: SizingResult, catalogs: Catalogs) -> Scenario:
    """The scenario of a sizing that core has done."""
    typed = {asked.symbol: input_value(asked, result) for asked in (*INPUTS, TENSOR_PARALLEL)}
    return Scenario(name, ACTIVE, typed, formula_values(result, catalogs))
