"""Workbooks: built with openpyxl, finished, read and synced at the level of the zip package."""
