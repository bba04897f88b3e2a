"""A VBA project in the form in which Excel keeps it: vbaProject.bin.

Three layers: `compound_file` knows files within a file (MS-CFB), `compression` knows how
their text is packed, `project` knows what a project consists of (both MS-OVBA).
"""

from xlsizing.book.vba.project import Module, document_module, standard_module, vba_project

__all__ = ["Module", "document_module", "standard_module", "vba_project"]
