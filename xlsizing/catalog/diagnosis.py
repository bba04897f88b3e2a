"""Why the bytes of a file are not JSON, in a sentence that says what to do."""

import json
import re

from xlsizing.catalog.errors import JsonFault
from xlsizing.core.message import Message

_BEGINNING = 4096
"""Bytes by which an encoding is told; a multiple of four."""
# Not compiled here, since most files are JSON: that would make every start slower.
_IN_NO_TEXT = rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]"
_MERGE_MARK = r"(<{7}|={7}|>{7})( |$)"
_LAST_WORD = r'[^\s"{}\[\]:,]*'
_AGAIN = Message("where another program is still writing it, try again in a moment.")


def why_not_json(
    written: bytes, error: UnicodeDecodeError | json.JSONDecodeError, content: str
) -> JsonFault:
    """What is wrong with the bytes of a file that cannot be read as JSON in UTF-8.

    Parameters
    ----------
    written : the whole file.
    error : what reading it raised.
    content : what the file must hold.
    """
    if encoding := _wide_encoding(written):
        return JsonFault(
            "", Message("The file is in {encoding}; save it as UTF-8.", encoding=encoding)
        )
    if not written.strip(b"\xef\xbb\xbf \t\r\n"):
        return JsonFault(
            "",
            Message(
                "The file is empty and must hold {content}; {again}", content=content, again=_AGAIN
            ),
        )
    if found := re.search(_IN_NO_TEXT, written):
        byte = Message(
            "byte {number} is {value}", number=str(found.start()), value=f"0x{found[0][0]:02X}"
        )
        return JsonFault(
            "",
            Message(
                "The file is not text, or damaged: {byte}; it must hold {content}.",
                byte=byte,
                content=content,
            ),
        )
    if isinstance(error, UnicodeDecodeError):
        return _not_utf_8(written, error)
    return _not_json(error)


def _wide_encoding(written: bytes) -> str:
    """UTF-16 or UTF-32, where a byte order mark or the zeros around a bracket say so."""
    encoding = json.detect_encoding(written)
    if encoding.startswith("utf-8"):
        return ""
    has_mark = encoding in ("utf-16", "utf-32")
    start = written[:_BEGINNING].decode(encoding, "replace").lstrip()[:1]
    return encoding[:6].upper() if has_mark or start in ("{", "[") else ""


def _not_utf_8(written: bytes, error: UnicodeDecodeError) -> JsonFault:
    before = written[: error.start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
    if error.reason == "unexpected end of data":
        return _incomplete(line, column)
    byte = Message("Byte {value} is not UTF-8", value=f"0x{written[error.start]:02X}")
    try:
        mark = written.decode("cp1252")[error.start]
    except UnicodeDecodeError:
        return JsonFault(
            _place(line, column), Message("{byte}; save the file as UTF-8.", byte=byte)
        )
    likely = Message(
        "the file is likely in Windows-1252 or Latin-1, where it is {mark}", mark=repr(mark)
    )
    return JsonFault(
        _place(line, column),
        Message("{byte}; {likely}. Save it as UTF-8.", byte=byte, likely=likely),
    )


def _not_json(error: json.JSONDecodeError) -> JsonFault:
    place = _place(error.lineno, error.colno)
    line = error.doc.split("\n", error.lineno)[error.lineno - 1]
    if re.match(_MERGE_MARK, line):
        sentence = Message(
            "The mark {mark} of a merge is left here; settle what the two sides changed.",
            mark=line[:7],
        )
        return JsonFault(place, sentence)
    rest = error.doc[error.pos :].rstrip()
    is_last_word = error.pos and re.fullmatch(_LAST_WORD, rest)
    if is_last_word or error.msg.startswith("Unterminated string"):
        return _incomplete(error.lineno, error.colno)
    return JsonFault(place, Message("This is not JSON: {what}.", what=_in_words(error.msg)))


def _incomplete(line: int, column: int) -> JsonFault:
    return JsonFault(
        _place(line, column),
        Message("The file ends in the middle of its JSON; {again}", again=_AGAIN),
    )


def _place(line: int, column: int) -> str:
    return Message("line {line}, column {column}", line=str(line), column=str(column))


def _in_words(fault: str) -> str:
    """What Python says of JSON that is none, to follow a colon."""
    said = f"{fault[0].lower()}{fault[1:]}".removesuffix(" at")
    known = (
        Message("expecting value"),
        Message("expecting ',' delimiter"),
        Message("expecting ':' delimiter"),
        Message("expecting property name enclosed in double quotes"),
        Message("extra data"),
        Message("invalid control character"),
        Message("invalid \\escape"),
        Message("invalid \\uXXXX escape"),
        Message("illegal trailing comma before end of object"),
        Message("illegal trailing comma before end of array"),
    )
    return next((each for each in known if each == said), said)
