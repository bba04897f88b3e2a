"""The page that compares our figures with recorded ones is current, and all but one model agrees."""

import re

from tests.comparison import PAGE, page


def test_the_page_is_what_the_rows_give_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_row_agrees_but_those_of_the_refused_model() -> None:
    text = page()
    assert "| **all** | | **483 of 483** | **133 of 136** |" in text
    answers = re.findall(r"\| (yes|no) \|$", text, re.MULTILINE)
    assert answers == ["yes"] * (28 + 6)
