"""What xlwings Server offers as scripts."""

from xlsizing.excel.scripts import full_report_script

__all__ = ["full_report_script"]
