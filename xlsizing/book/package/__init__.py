"""The zip package of a workbook file: opened under guard, read part by part, written anew.

No other room opens the zip.
"""
