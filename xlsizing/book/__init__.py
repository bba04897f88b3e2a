"""Workbooks: built with openpyxl, finished at the level of the zip package."""

from xlsizing.book.build import report, template
from xlsizing.book.saving import require_apart, require_writable, save_workbook

__all__ = ["report", "require_apart", "require_writable", "save_workbook", "template"]
