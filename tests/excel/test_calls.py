"""The functions called from Python, where no host stands between: the table of calls."""

from tests.excel.calls import ARGUMENTS, table, wrong_answers
from tests.excel.remembered import forget
from xlsizing.excel import functions


def test_the_table_calls_every_function_with_values_and_ranges() -> None:
    assert {call.name for call, _ in table()} == set(ARGUMENTS)
    ranges = {call.name for call, _ in table() if any(isinstance(x, list) for x in call.arguments)}
    assert ranges == set(ARGUMENTS) - {"CATALOG"}


def test_every_call_answers_what_core_says() -> None:
    forget()
    answers = [getattr(functions, call.name)(*call.arguments) for call, _ in table()]
    assert wrong_answers(answers) == []


def test_a_wrong_answer_in_one_row_of_ten_thousand_is_found() -> None:
    answers = [right for _, right in table()]
    assert wrong_answers(answers) == []
    place = next(
        n for n, each in enumerate(answers) if isinstance(each, list) and len(each) > 9_000
    )
    answers[place] = [*answers[place][:5_000], [0], *answers[place][5_001:]]
    assert len(wrong_answers(answers)) == 1
