"""Why the bytes of a file are not JSON, in a sentence that says what to do."""

import json
import re

from xlsizing.catalog.errors import JsonFault

_BEGINNING = 4096
"""Bytes by which an encoding is told; a multiple of four."""
# Not compiled here, since most files are JSON: that would make every start slower.
_IN_NO_TEXT = rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]"
_MERGE_MARK = r"(<{7}|={7}|>{7})( |$)"
_LAST_WORD = r'[^\s"{}\[\]:,]*'
_AGAIN = "where another program is still writing it, try again in a moment."


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
        return JsonFault("", f"The file is in {encoding}; save it as UTF-8.")
    if not written.strip(b"\xef\xbb\xbf \t\r\n"):
        return JsonFault("", f"The file is empty and must hold {content}; {_AGAIN}")
    if found := re.search(_IN_NO_TEXT, written):
        byte = f"byte {found.start()} is 0x{found[0][0]:02X}"
        return JsonFault("", f"The file is not text, or damaged: {byte}; it must hold {content}.")
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
    byte = f"Byte 0x{written[error.start]:02X} is not UTF-8"
    try:
        mark = written.decode("cp1252")[error.start]
    except UnicodeDecodeError:
        return JsonFault(_place(line, column), f"{byte}; save the file as UTF-8.")
    likely = f"the file is likely in Windows-1252 or Latin-1, where it is {mark!r}"
    return JsonFault(_place(line, column), f"{byte}; {likely}. Save it as UTF-8.")


def _not_json(error: json.JSONDecodeError) -> JsonFault:
    place = _place(error.lineno, error.colno)
    line = error.doc.split("\n", error.lineno)[error.lineno - 1]
    if re.match(_MERGE_MARK, line):
        sentence = (
            f"The mark {line[:7]} of a merge is left here; settle what the two sides changed."
        )
        return JsonFault(place, sentence)
    rest = error.doc[error.pos :].rstrip()
    is_last_word = error.pos and re.fullmatch(_LAST_WORD, rest)
    if is_last_word or error.msg.startswith("Unterminated string"):
        return _incomplete(error.lineno, error.colno)
    what = f"{error.msg[0].lower()}{error.msg[1:]}".removesuffix(" at")
    return JsonFault(place, f"This is not JSON: {what}.")


def _incomplete(line: int, column: int) -> JsonFault:
    return JsonFault(_place(line, column), f"The file ends in the middle of its JSON; {_AGAIN}")


def _place(line: int, column: int) -> str:
    return f"line {line}, column {column}"
