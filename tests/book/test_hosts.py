"""The workbook for each host: what it has for the functions, and what it must not have."""

import io

import openpyxl

from xlsizing.book.build import template
from xlsizing.book.hosts import SERVER_WORKBOOK
from xlsizing.book.lambdas import FUNCTIONS
from xlsizing.core import Catalogs


def test_names_of_a_workbook_do_not_stand_before_the_functions_of_a_server(
    catalogs: Catalogs,
) -> None:
    plain = openpyxl.load_workbook(io.BytesIO(template(catalogs)))
    served = openpyxl.load_workbook(io.BytesIO(template(catalogs, host=SERVER_WORKBOOK)))
    names = {each.name for each in FUNCTIONS}
    assert set(plain.defined_names) - set(served.defined_names) == names
    assert served.sheetnames == plain.sheetnames
    texts = [row[0] for row in served["About"].iter_rows(max_col=1, values_only=True)]
    assert any("xlsizing serve" in str(text) for text in texts)
    assert any("catalogs of the server" in str(text) for text in texts)
