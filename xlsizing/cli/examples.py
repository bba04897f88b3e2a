"""Examples of every command: a sentence, and a call that does what it says."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xlsizing.core.message import Message


class Example(NamedTuple):
    """What a call is for, the call after the program's name, and what it needs.

    Parameters
    ----------
    what : a sentence with a colon.
    call : the call after the program's name.
    folder : the folder that it writes into, where a new home has none.
    """

    what: Message
    call: str
    folder: str = ""

    def lines(self) -> Sequence[str]:
        """What is typed in a shell."""
        made = [f"mkdir -p {self.folder}"] if self.folder else []
        return [*made, f"xlsizing {self.call}"]


_LOAD = (
    "--model gpt-oss-120b --server dgx-b300 --storage profile_default "
    "--concurrency 1000 --effective-context 131072 --ha n+1"
)

EXAMPLES: Mapping[str, Sequence[Example]] = {
    "": (
        Example(
            Message("How many nodes serve a thousand sessions, with a spare one:"), f"size {_LOAD}"
        ),
        Example(Message("What can be sized:"), "catalog list"),
    ),
    "size": (
        Example(
            Message("A thousand sessions of 131,072 tokens, with a spare node:"), f"size {_LOAD}"
        ),
        Example(Message("The same for programs:"), f"size {_LOAD} --json-only"),
    ),
    "template": (
        Example(
            Message("The planning workbook, for any spreadsheet program:"), "template plan.xlsx"
        ),
        Example(
            Message("The same with macros, for xlwings' classic add-in:"),
            "template plan.xlsm --host classic",
        ),
    ),
    "report": (
        Example(
            Message("A report on the workbook that somebody filled in:"),
            "report report.xlsx --from plan.xlsx",
        ),
        Example(
            Message("A report on a load, also as a page:"),
            f"report load.xlsx {_LOAD} --html",
        ),
        Example(
            Message("A report, and a mail draft with it:"),
            "report mailed.xlsx --from plan.xlsx --eml mailed.eml --to anna@example.com",
        ),
    ),
    "sync": (
        Example(
            Message("Whether a workbook is out of date, without writing anything:"),
            "sync plan.xlsx --check",
        ),
        Example(
            Message("All workbooks of a folder brought up to date, each kept as it was beside it:"),
            "sync *.xlsx --backup",
        ),
    ),
    "send": (
        Example(
            Message("What would be sent, and to whom; nothing is sent:"),
            "send draft.eml --server smtp.example.com --dry-run",
        ),
    ),
    "kv": (
        Example(
            Message("What a session of 131,072 tokens costs:"), "kv gpt-oss-120b --context 131072"
        ),
        Example(
            Message("The same of a model that no catalog has, on eight GPUs:"),
            "kv config.json --context 131072 --tensor-parallel 8",
        ),
    ),
    "calibrate": (
        Example(
            Message("The settings with which the engine bound says what a server's log says:"),
            "calibrate llama-3.1-8b vllm.log --server dgx-h100",
        ),
    ),
    "serve": (Example(Message("The functions for this machine:"), "serve --port 8000"),),
    "doctor": (
        Example(Message("What keeps a workbook's functions from working:"), "doctor plan.xlsx"),
    ),
    "completion": (
        Example(
            Message("For bash, in all shells to come:"),
            "completion bash > ~/.local/share/bash-completion/completions/xlsizing",
            "~/.local/share/bash-completion/completions",
        ),
        Example(
            Message("For zsh, in a folder of $fpath:"),
            "completion zsh > ~/.zsh/completions/_xlsizing",
            "~/.zsh/completions",
        ),
        Example(
            Message("For fish:"),
            "completion fish > ~/.config/fish/completions/xlsizing.fish",
            "~/.config/fish/completions",
        ),
    ),
    "catalog": (Example(Message("All names:"), "catalog list"),),
    "catalog list": (
        Example(Message("All names:"), "catalog list"),
        Example(Message("Those of your own catalogs:"), "catalog list --catalogs ours"),
    ),
    "catalog show": (Example(Message("One entry, with its sources:"), "catalog show dgx-b300"),),
    "catalog import-hf": (
        Example(
            Message("An entry from a published config.json:"),
            "catalog import-hf config.json --name our-model",
        ),
    ),
    "catalog validate": (
        Example(
            Message("Every fault of the catalogs in a folder:"), "catalog validate --catalogs ours"
        ),
    ),
}
"""The examples of each command, by its name; those of the program itself by none."""
