"""What is raised where a workbook's file cannot be read."""

from xlsizing.core import SizingError
from xlsizing.core.message import Message


class WorkbookReadError(SizingError):
    """A workbook that cannot be read, or lacks what is looked for in it."""

    code = "WORKBOOK_READ"


def damaged(name: str, why: object) -> WorkbookReadError:
    """What to raise where a part of a workbook is not what it must be.

    Parameters
    ----------
    name : what sentences call the workbook.
    why : what was stumbled on.
    """
    what = (
        Message("{kind} while it was read", kind=type(why).__name__)
        if isinstance(why, Exception)
        else str(why)
    )
    return WorkbookReadError(
        Message(
            "{name} is damaged: {what}. Open it in a spreadsheet program, let that repair it, "
            "and save it.",
            name=name,
            what=what,
        )
    )
