"""The sheet Charts, and what every chart of a workbook has in common."""
