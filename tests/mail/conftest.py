"""What the tests of mail share: a draft, the command, and an authority for certificates."""

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mail.servers import Authority
from tests.saying import in_portuguese
from xlsizing.cli import main
from xlsizing.mail import submission
from xlsizing.mail.errors import MailError


class Ran(NamedTuple):
    """What a run of the command gave."""

    code: int
    out: str
    err: str


class Send:
    """Runs `xlsizing send`; waits that it would make are noted, not slept."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.waits: list[float] = []

    def __call__(self, *arguments: str) -> Ran:
        code = main(["send", *arguments])
        return Ran(code, *self._capsys.readouterr())


@pytest.fixture
def send(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Send]:
    """The command, in a folder of its own with the draft; what it refuses is said in Portuguese."""
    monkeypatch.chdir(tmp_path)
    for name in ("SERVER", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"XLSIZING_SMTP_{name}", raising=False)
    Path("draft.eml").write_bytes(draft().as_bytes(policy=SMTP))
    command = Send(capsys)
    monkeypatch.setattr(submission, "sleep", command.waits.append)
    told: list[str] = []

    def noted(error: MailError, sentence: str) -> None:
        told.append(sentence)
        super(MailError, error).__init__(sentence)

    monkeypatch.setattr(MailError, "__init__", noted)
    yield command
    for sentence in told:
        in_portuguese(sentence)


def draft(**headers: str | None) -> EmailMessage:
    """A draft with an attachment, as Python's email package makes one."""
    message = EmailMessage(policy=SMTP)
    usual = {
        "Subject": "GPU nodes: São Paulo",
        "From": "Planner <planner@example.com>",
        "To": "Anna <anna@example.com>, Bob <bob@example.com>",
        "Cc": None,
        "Bcc": "carol@example.com",
        "X-Unsent": "1",
        "Message-ID": "<plan-7@example.com>",
        "Date": "Fri, 01 Mar 2024 10:00:00 +0000",
    }
    for name, value in (
        usual | {key.replace("_", "-"): each for key, each in headers.items()}
    ).items():
        if value is not None:
            message[name] = value
    message.set_content("3 nodes.\n.\n..two dots\n")
    message.add_attachment(
        bytes(range(256)), maintype="application", subtype="octet-stream", filename="plan.xlsx"
    )
    return message


Write = Callable[..., str]


@pytest.fixture
def write(send: Send) -> Write:
    """Write a draft with other headers; its name."""
    del send  # which made the folder

    def written(**headers: str | None) -> str:
        Path("other.eml").write_bytes(draft(**headers).as_bytes(policy=SMTP))
        return "other.eml"

    return written


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that only --ca names."""
    return Authority(str(tmp_path_factory.mktemp("authority") / "ca.pem"))
