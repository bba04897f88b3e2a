"""The full report: what the button in the planning workbook makes, as sheets of the workbook."""

from xlsizing.excel.full_report.building import FullReportError, build_report, report_steps

__all__ = ["FullReportError", "build_report", "report_steps"]
