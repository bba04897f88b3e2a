"""A sizing as people and programs read it: text and JSON."""

from xlsizing.report.document import json_document, json_text
from xlsizing.report.text import text_report

__all__ = ["json_document", "json_text", "text_report"]
