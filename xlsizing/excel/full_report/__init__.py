"""The full report: what the button in the planning workbook makes, as sheets of the workbook."""

from xlsizing.excel.full_report.building import FullReportError, build_report, report_steps
from xlsizing.excel.full_report.reading import book_language

__all__ = ["FullReportError", "book_language", "build_report", "report_steps"]
