"""The mail draft: what mail programs find in it, by two parsers, and what they must not."""

import base64
import getpass
import io
import platform
import re
import socket
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import fast_mail_parser
import openpyxl
import pytest
from PIL import Image

from tests.report.forms import LOAD, NOTHING_FITS, TO, column, read_page, write_all
from xlsizing.cli import main

SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("drafts")
    assert write_all(made, LOAD) == 0
    return made


def read(folder: Path) -> EmailMessage:
    content = (folder / "draft.eml").read_bytes()
    found = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(found, EmailMessage)
    return found


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_the_draft_is_read_alike_by_two_parsers(folder: Path) -> None:
    mail = read(folder)
    other: Any = fast_mail_parser.parse_email((folder / "draft.eml").read_bytes())
    assert mail["Subject"] == other.subject
    assert other.subject == "3 dgx-b300 nodes for gpt-oss-120b: 1,000 sessions of 131,072 tokens"
    assert mail["To"] == "anna@example.com, bob@example.com"
    assert [body(mail, "plain")] == [text.replace("\r\n", "\n") for text in other.text_plain]
    assert [body(mail, "html")] == [text.replace("\r\n", "\n") for text in other.text_html]
    attached = {each.filename: each for each in other.attachments}
    assert set(attached) == {"nodes-by-scenario.png", "r.xlsx"}
    assert attached["r.xlsx"].mimetype == SHEET
    assert attached["r.xlsx"].content == (folder / "r.xlsx").read_bytes()
    [workbook] = mail.iter_attachments()
    assert workbook.get_content_type() == SHEET
    assert workbook.get_content() == (folder / "r.xlsx").read_bytes()
    assert mail.defects == []
    assert [part.defects for part in mail.walk() if part.defects] == []


def test_mail_programs_open_it_as_a_draft(folder: Path) -> None:
    mail = read(folder)
    assert mail["X-Unsent"] == "1"
    assert set(mail.keys()) == {*("Subject", "To", "X-Unsent", "MIME-Version", "Content-Type")}


def test_the_first_line_answers_the_question(folder: Path) -> None:
    first = body(read(folder), "plain").splitlines()[0]
    assert first.startswith(
        "3 dgx-b300 nodes for 1,000 sessions of 131,072 tokens with gpt-oss-120b, KV cache in fp8. "
        "Most serious alert: warning, LONG_CONTEXT_IO. "
    )
    assert read_page(body(read(folder), "html")).texts[0] == first


def test_bodies_and_attachment_agree_on_every_number(folder: Path) -> None:
    mail = read(folder)
    reader = read_page(body(mail, "html"))
    [workbook] = mail.iter_attachments()
    book = openpyxl.load_workbook(io.BytesIO(workbook.get_content()), data_only=True)
    sheet = book["Scenarios"]
    heads = [cell.value for cell in sheet[6]]
    [table] = reader.tables
    for head in ("Nodes minimum", "Nodes with headroom", "Nodes final"):
        place = heads.index(head) + 1
        assert column(table, head) == [str(sheet.cell(row, place).value) for row in range(7, 11)]
    [(title, address)] = book.defined_names["Output_NodesFinal"].destinations
    assert str(book[title][address].value) == "3"
    alerts = [
        row[4]
        for row in book["Warnings"].iter_rows(min_row=6, values_only=True)
        if row[0] == "Sizing"
    ]
    assert alerts
    assert [text for text in alerts if text not in reader.texts] == []
    # Each number of one body stands as often in the other, but for the picture's description.
    numbers = [
        sorted(re.findall(r"\d[\d,.]*\d|\d", text))
        for text in (body(mail, "plain"), " ".join(reader.texts))
    ]
    assert numbers[0] == numbers[1]


def test_the_picture_is_inline_and_shows_the_bars(folder: Path) -> None:
    mail = read(folder)
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content_disposition() == "inline"
    name = str(picture["Content-ID"]).strip("<>")
    assert f'src="cid:{name}" width="640"' in body(mail, "html")
    assert 'alt="Nodes by scenario. As asked: 3 nodes; Minimum: 2 nodes;' in body(mail, "html")
    image = Image.open(io.BytesIO(picture.get_content())).convert("RGB")
    assert image.width == 2 * 640
    # Three nodes, two, three and four: the bars are as long as that.
    lengths, blues = [], _blues(image)
    for number in range(4):
        row = 2 * (40 + 30 * number + 15)
        dark = [x for x in range(image.width) if image.getpixel((x, row - 14)) in blues]
        lengths.append(len(dark))
    assert lengths[0] == pytest.approx(lengths[2], abs=2)
    assert lengths[1] / lengths[0] == pytest.approx(2 / 3, abs=0.01)
    assert lengths[3] / lengths[0] == pytest.approx(4 / 3, abs=0.01)


def _blues(image: Image.Image) -> set[Any]:
    """The colours of bars: the two that fill the most after white."""
    found = image.getcolors(maxcolors=1 << 16)
    assert found
    return {colour for _, colour in sorted(found, key=lambda each: -each[0])[1:3]}


def test_equal_reports_give_equal_drafts(folder: Path, tmp_path: Path) -> None:
    assert write_all(tmp_path, LOAD) == 0
    assert (tmp_path / "draft.eml").read_bytes() == (folder / "draft.eml").read_bytes()


def test_no_personal_datum_and_no_path_is_in_it(folder: Path) -> None:
    mail = read(folder)
    texts = [(folder / "draft.eml").read_text(encoding="ascii")]
    for part in mail.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            texts.append(content.decode("latin-1"))
    private = {str(folder), folder.name, str(Path.home()), socket.gethostname(), platform.node()}
    private |= {getpass.getuser()} - {"root", "user"}
    for text in texts:
        assert [word for word in private if len(word) > 3 and word in text] == []


def test_every_line_is_short_enough_for_mail(folder: Path) -> None:
    lines = (folder / "draft.eml").read_bytes().split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert all(b"\n" not in line and b"\r" not in line for line in lines)
    assert (folder / "draft.eml").read_bytes().isascii()


def test_a_portuguese_draft(tmp_path: Path) -> None:
    assert write_all(tmp_path, LOAD, "--lang", "pt-BR") == 0
    mail = read(tmp_path)
    assert mail["Subject"] == "3 nós dgx-b300 para gpt-oss-120b: 1.000 sessões de 131.072 tokens"
    assert body(mail, "plain").startswith(
        "3 nós dgx-b300 para 1.000 sessões de 131.072 tokens com "
    )
    assert "Alerta mais grave: aviso, LONG_CONTEXT_IO." in body(mail, "plain")


def test_where_nothing_fits_the_subject_says_so(tmp_path: Path) -> None:
    assert write_all(tmp_path, NOTHING_FITS) == 3
    mail = read(tmp_path)
    assert (
        mail["Subject"]
        == "gpt-oss-120b on 8x-l40s: nothing fits for 1,000 sessions of 131,072 tokens"
    )
    assert "Most serious alert: error, HBM_BUDGET_INSUFFICIENT." in body(mail, "plain")


@pytest.mark.parametrize(
    "to",
    [
        "anna@example.com\r\nBcc: eve@example.com",
        "anna@example.com\nBcc: eve@example.com",
        "anna",
        "",
        "Anna <anna@example.com>, <>",
    ],
)
def test_recipients_that_are_none_are_refused(
    tmp_path: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [part for option in LOAD.items() for part in option]
    draft = ("--eml", str(tmp_path / "draft.eml"), "--to", to)
    assert main(["report", str(tmp_path / "r.xlsx"), *options, *draft]) == 2
    said = capsys.readouterr().err
    assert said.startswith("--to")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_recipients_without_a_draft_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [part for option in LOAD.items() for part in option]
    assert main(["report", str(tmp_path / "r.xlsx"), *options, *TO]) == 2
    assert "--eml DRAFT.eml" in capsys.readouterr().err


def test_the_draft_can_be_sent(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--sender", "me@example.com", "--server", "mail.example.com", "--dry-run")
    assert main(["send", str(folder / "draft.eml"), *arguments]) == 0
    assert "anna@example.com" in capsys.readouterr().out


def test_the_attachment_is_base64_of_the_workbook(folder: Path) -> None:
    text = (folder / "draft.eml").read_bytes().replace(b"\r\n", b"")
    assert base64.b64encode((folder / "r.xlsx").read_bytes()) in text
