"""What is wrong with a machine on which the functions do not work, and the one thing to do.

Each check is a pure function over a description of the machine (`machine.Machine`) and says
ok, problem or not checked. Only `this_machine` reads a real one. Nothing is written or sent.
"""

from xlsizing.excel.doctor.case import Case
from xlsizing.excel.doctor.examination import CHECKS, Checked, examined
from xlsizing.excel.doctor.finding import Finding, Outcome
from xlsizing.excel.doctor.machine import Machine
from xlsizing.excel.doctor.workbook import WorkbookFacts

__all__ = [
    "CHECKS",
    "Case",
    "Checked",
    "Finding",
    "Machine",
    "Outcome",
    "WorkbookFacts",
    "examined",
]
