"""Plans as people type them in a workbook, and what a sizing takes of them.

Whoever reads a workbook, a closed file or one that is open in Excel, asks for the same
inputs by the same names and takes the same of what is typed.
"""
