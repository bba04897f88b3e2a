"""A mail draft: a file in the form of RFC 5322, which is text with headers and a body."""

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from pathlib import Path
from typing import NamedTuple
from unicodedata import category

from xlsizing.core.exact import grouped
from xlsizing.core.message import Message
from xlsizing.core.text import cut
from xlsizing.mail.addresses import addresses
from xlsizing.mail.errors import MailError

BYTES_PER_MIB = 1024 * 1024
LONGEST_LINE = 998
"""Characters of a line that mail has room for."""
LARGEST_HEAD = 64 * 1024
"""Bytes of all headers together, room for a thousand addresses; the standard library's reader
takes seconds for so many of a wrong kind, and four times as long for twice as many."""

_FIELD = re.compile(rb"([!-9;-~]{1,76}):(.*)", re.DOTALL)
_ONCE = frozenset(
    {"from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date"}
    | {"message-id", "in-reply-to", "references"}
)
"""The headers that a mail has once at most; of two, each reader would take another one."""


class Field(NamedTuple):
    """One header: its name, and its bytes as they stand, folded lines included."""

    name: str
    line: bytes

    @property
    def value(self) -> str:
        """What stands behind the name, on one line."""
        text = self.line.partition(b":")[2].decode("ascii")
        return re.sub(r"\r\n(?=[ \t])", "", text).strip()


class Draft(NamedTuple):
    """A draft, with CRLF at the end of every line."""

    path: str
    fields: tuple[Field, ...]
    body: bytes

    def value(self, name: str) -> str | None:
        """The value of a header, None where the draft has no such header."""
        return next((each.value for each in self.fields if each.name.lower() == name.lower()), None)

    def addresses(self, name: str) -> list[str]:
        """The addresses in a header.

        Raises
        ------
        MailError : it is no list of addresses.
        """
        value = self.value(name)
        return [] if value is None else addresses(value, f"{self.path}: {name}")

    @property
    def subject(self) -> str:
        """The subject as people read it."""
        return _decoded(self.value("Subject") or "")


def read_draft(path: str, most_mib: int) -> Draft:
    """The draft in a file.

    Parameters
    ----------
    path : the file.
    most_mib : MiB that a mail may have.

    Raises
    ------
    MailError : it is no mail, larger than that, or not as mails are written.
    """
    content = _bytes(path, most_mib * BYTES_PER_MIB)
    if content is None:
        raise MailError(
            Message(
                "{path} has more than {most_mib} MiB, the most that a mail may have here; send a "
                "link, or raise --most-mib where every server on the way takes larger mails.",
                path=path,
                most_mib=str(most_mib),
            )
        )
    if not content.strip():
        raise MailError(Message("{path} is empty; it must be a mail draft.", path=path))
    head, _, body = _with_line_ends(path, content).partition(b"\r\n\r\n")
    head = head.removesuffix(b"\r\n")  # of a draft that is all headers
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    fields = tuple(_fields(path, head))
    _require_plain(path, fields)
    _require_short_lines(path, head, body)
    return Draft(path, fields, body)


def _bytes(path: str, most: int) -> bytes | None:
    """The bytes of a file, None where there are more than that."""
    file = Path(path)
    try:
        if not file.is_file():
            what = Message("is no file") if file.exists() else Message("does not exist")
            raise MailError(
                Message(
                    "{path} {what}; name a mail draft, such as draft.eml.", path=path, what=what
                )
            )
        with file.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise MailError(
            Message(
                "{path} cannot be read: {reason}.",
                path=path,
                reason=error.strerror or str(error),
            )
        ) from None
    return content if len(content) <= most else None


def _with_line_ends(path: str, content: bytes) -> bytes:
    """The content with CRLF at the end of each line, whether it came with LF or CRLF.

    A lone CR is refused: one server takes it for the end of a line and the next does not,
    by which one mail becomes two.
    """
    if b"\0" in content:
        raise MailError(
            Message(
                "{path} is no mail draft: it has NUL characters. Save it as .eml; an .msg of Outlook "
                "is another format.",
                path=path,
            )
        )
    lines = content.replace(b"\r\n", b"\n")
    if b"\r" in lines:
        raise MailError(
            Message(
                "{path} has carriage returns without a line feed, which servers read in different "
                "ways; save it with line ends of Windows or Unix.",
                path=path,
            )
        )
    return lines.replace(b"\n", b"\r\n")


def _fields(path: str, head: bytes) -> Iterator[Field]:
    if len(head) > LARGEST_HEAD:
        raise MailError(
            Message(
                "{path} has headers of {size} bytes; a mail has at most {most}. An empty "
                "line must stand between headers and text.",
                path=path,
                size=grouped(len(head)),
                most=grouped(LARGEST_HEAD),
            )
        )
    for line in re.split(rb"\r\n(?![ \t])", head):
        found = _FIELD.fullmatch(line)
        if not found or re.search(rb"\r\n[ \t]+(\r\n|$)", line):
            shown = cut(line.decode("utf-8", "replace"))
            raise MailError(
                Message(
                    "{path} is no mail draft: {shown} stands where a header such as 'Subject: GPU nodes' "
                    "should.",
                    path=path,
                    shown=repr(shown),
                )
            )
        yield Field(found[1].decode("ascii"), line)


def _require_plain(path: str, fields: tuple[Field, ...]) -> None:
    """Refuse headers that come twice, or have characters that are no text, plain or in code."""
    seen: set[str] = set()
    for field in fields:
        name = field.name.lower()
        if name in seen & _ONCE:
            raise MailError(
                Message(
                    "{path} has two headers {name}; a mail has one.", path=path, name=field.name
                )
            )
        seen.add(name)
        if not field.line.isascii():
            raise MailError(
                Message(
                    "{path}: {name} has characters beyond ASCII; a header has them in code, such as "
                    "=?utf-8?q?caf=C3=A9?=.",
                    path=path,
                    name=field.name,
                )
            )
        try:
            texts = field.value, _decoded(field.value)
        except HeaderParseError:
            raise MailError(
                Message(
                    "{path}: {name} has an encoded word that cannot be decoded: {value}.",
                    path=path,
                    name=field.name,
                    value=repr(cut(field.value)),
                )
            ) from None
        if any(category(each) == "Cc" and each != "\t" for text in texts for each in text):
            raise MailError(
                Message(
                    "{path}: {name} has control characters: {text}; a header is one line of text.",
                    path=path,
                    name=field.name,
                    text=repr(cut(texts[1])),
                )
            )


def _decoded(value: str) -> str:
    """A header as people read it.

    Raises
    ------
    HeaderParseError : it is in code, and in none that can be read.
    """
    return "".join(
        each if isinstance(each, str) else _text(each, charset)
        for each, charset in decode_header(value)
    )


def _text(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "ascii", "replace")
    except (LookupError, ValueError):
        return content.decode("latin-1")


def _require_short_lines(path: str, head: bytes, body: bytes) -> None:
    longest = max(len(line) for part in (head, body) for line in part.split(b"\r\n"))
    if longest > LONGEST_LINE:
        raise MailError(
            Message(
                "{path} has a line of {longest} characters; a mail has at most {most}. "
                "Programs that write drafts encode longer ones, as quoted-printable or base64.",
                path=path,
                longest=grouped(longest),
                most=str(LONGEST_LINE),
            )
        )
