"""A row of Scenarios as a person typed it, whether it can be sized or not."""

from xlsizing.book.faults import faulty_values
from xlsizing.book.scenario import Scenario
from xlsizing.book.values import formula_values
from xlsizing.core import Catalogs
from xlsizing.core.engine import EngineSettings
from xlsizing.core.planning.limits import is_countable
from xlsizing.core.planning.plan import TypedRow
from xlsizing.core.planning.typed import typed_load
from xlsizing.language import ENGLISH, Language


def typed_scenario(
    row: TypedRow,
    settings: EngineSettings,
    catalogs: Catalogs,
    language: Language = ENGLISH,
) -> Scenario:
    """The scenario of a row as a person typed it, whether it can be sized or not.

    Parameters
    ----------
    row : what is typed.
    settings : the engine's settings, which all rows share.
    language : what is said in of a row that cannot be sized.
    """
    if not row.is_live:
        return Scenario(*row, {})
    load = typed_load(row.typed, catalogs)
    if not load.refused:
        result = load.result(settings)
        if is_countable(result):
            return Scenario(*row, formula_values(result, catalogs))
    return Scenario(*row, faulty_values(row.typed, load, settings, catalogs, language))
