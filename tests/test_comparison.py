"""The page that compares our figures with recorded ones is current, and all but one model agrees."""

import re

from tests.comparison import PAGE, page


def test_the_page_is_what_the_rows_give_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_row_agrees_but_those_of_the_refused_model() -> None:
    by_model, by_case, by_log, by_card = page().split("\n## ")[1:]
    assert "| **all** | | **483 of 483** | **133 of 136** |" in by_model
    assert "| deepseek-ai/DeepSeek-V4-Pro |" in by_model
    assert "| none recorded | 0 of 3 |" in by_model
    for section, count in ((by_case, 28), (by_log, 6)):
        answers = re.findall(r"\| (\w+) \|$", section, re.MULTILINE)
        assert answers == ["equal", *["yes"] * count]
    assert len(re.findall(r"^\| [\w./-]+/[\w.-]+ \|", by_card, re.MULTILINE)) == 4
