"""What is examined: a machine, and the workbook and catalogs that somebody named."""

from dataclasses import dataclass
from functools import cached_property

from xlsizing.excel.doctor.interpreter import ExcelPython, python_of_excel
from xlsizing.excel.doctor.machine import Machine
from xlsizing.excel.doctor.office import Excel, installed_excel
from xlsizing.excel.doctor.probe import NoAnswer, PythonFacts, answer_of
from xlsizing.excel.doctor.settings import Settings, settings_of
from xlsizing.excel.doctor.workbook import WorkbookFacts


@dataclass(frozen=True)
class Case:
    """A machine, and what somebody named; what several checks need is found out once."""

    machine: Machine
    workbook: WorkbookFacts | None = None
    catalogs: str | None = None
    """The folder that an argument names."""

    @cached_property
    def excel(self) -> Excel | None:
        """The Excel of the machine."""
        return installed_excel(self.machine)

    @cached_property
    def python(self) -> PythonFacts | NoAnswer:
        """What the Python that runs the checks says of itself."""
        return answer_of(self.machine, self.machine.executable)

    @cached_property
    def excel_python(self) -> ExcelPython:
        """The Python that Excel starts; raises OSError where settings may not be read."""
        return python_of_excel(self)

    @cached_property
    def settings(self) -> Settings:
        """The settings of xlwings as Excel finds them; raises OSError where they may not be read."""
        return settings_of(self.machine, self.workbook)
