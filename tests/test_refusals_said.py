"""Every refusal is made of a Message, and the command line says it in the reader's language."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from tests.conftest import PROJECT
from xlsizing.cli import main

CODE = PROJECT / "xlsizing"
MAKERS = ("Message", "one_or_many", "joined")
WITH_WORDS: Mapping[str, int] = {"InvalidValueError": 2, "JsonFault": 1, "Fault": 2}
"""Errors and faults that make their sentence of a text, and which argument that is."""
MAKE_THEIR_OWN = {"CatalogError", "RefusedCellError", "UnknownNameError"}
"""Errors whose sentence is made of no text of the caller's."""
INWARD = {"derived figures differ"}
"""Texts that are caught where they are raised, and that nobody reads."""
ENGLISH = ("excel",)
"""Folders whose texts cells show, and the add-in: they are English in every language."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(CODE.rglob("*.py")):
        place = path.relative_to(CODE)
        if place.parts[0] not in ENGLISH and path != CODE / "core" / "message.py":
            yield str(place), ast.parse(path.read_text(encoding="utf-8"))


MODULES = dict(modules())


@cache
def errors() -> frozenset[str]:
    """The names of the classes that are a SizingError, and of those that one is made of."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"SizingError", "XmlError", "JsonFault", "Fault"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return frozenset(found)


def assigned(name: str, scope: ast.AST) -> list[ast.expr]:
    """What a function, or a module, gives a name."""
    return [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if ast.unparse(target) == name
    ]


def is_message(text: ast.expr, scope: ast.AST, tree: ast.Module) -> bool:
    """Whether an expression is a message, as far as the code can tell."""
    if isinstance(text, ast.IfExp):
        return is_message(text.body, scope, tree) and is_message(text.orelse, scope, tree)
    if isinstance(text, ast.Call):
        # What another error says is a message for the same reason.
        return ast.unparse(text.func) in (*MAKERS, "str") or ast.unparse(text.func).endswith(
            (".filled", "_words")
        )
    if isinstance(text, ast.Name):
        # One that a function is given is looked at where it is called.
        given = assigned(text.id, scope) or assigned(text.id, tree)
        return all(is_message(each, scope, tree) for each in given)
    return isinstance(text, ast.Attribute | ast.Subscript)


def plain_errors(tree: ast.Module, names: frozenset[str]) -> Iterator[ast.Call]:
    """The calls that make an error of a text that is no message."""
    scopes: dict[ast.Call, ast.AST] = {}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for scope in (tree, *functions):
        scopes |= {node: scope for node in ast.walk(scope) if isinstance(node, ast.Call)}
    for node, scope in scopes.items():
        name = ast.unparse(node.func)
        place = WITH_WORDS.get(name, 0)
        if name not in names - MAKE_THEIR_OWN or place >= len(node.args):
            continue
        text = node.args[place]
        is_inward = isinstance(text, ast.Constant) and text.value in INWARD
        if not is_inward and not is_message(text, scope, tree):
            yield node


def test_every_error_is_made_of_a_message() -> None:
    names = errors()
    assert {"MailError", "SignedError", "ConfigError", "LogError", "UnknownLayoutError"} <= names
    plain = [
        f"{place}:{call.lineno} {ast.unparse(call)[:80]}"
        for place, tree in MODULES.items()
        for call in plain_errors(tree, names)
    ]
    assert plain == []


@pytest.mark.parametrize(
    "code",
    [
        'raise MailError("no mail")',
        'raise MailError(f"{path} is no mail")',
        'sentence = "no mail"\nraise MailError(sentence)',
        'raise MailError(Message("a") if path else "no mail")',
        'raise MailError("no mail" + path)',
        'raise InvalidValueError("field", 1, f"at most {most}")',
        'raise InvalidValueError("field", 1, "at most 2")',
        'yield Fault(path, "", "no mail")',
    ],
)
def test_an_error_of_another_text_is_found(code: str) -> None:
    assert [*plain_errors(ast.parse(code), errors())]


def test_what_is_put_into_a_message_is_what_its_template_asks_for() -> None:
    for place, tree in MODULES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in MAKERS[:2]:
                continue
            given = {keyword.arg for keyword in node.keywords}
            if None in given or not given:
                continue
            asked = set()
            for text in node.args[: MAKERS.index(ast.unparse(node.func)) + 1]:
                assert isinstance(text, ast.Constant)
                asked |= {name for _, name, _, _ in Formatter().parse(str(text.value)) if name}
            assert asked == given, f"{place}:{node.lineno}"


LOAD = ("--server", "dgx-b300", "--storage", "profile_default", "--concurrency", "10")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("size", "--model", "gpt-oss-120c", *LOAD, "--effective-context", "1000"),
            "Não há nenhum modelo com o nome 'gpt-oss-120c' no catálogo; os nomes mais próximos são ",
        ),
        (
            ("size", "--model", "gpt-oss-120b", *LOAD, "--effective-context", "0"),
            "effective_context é 0; deve ser um número inteiro de no mínimo 1",
        ),
        (
            ("catalog", "show", "nothing like it"),
            "Não há nenhum item com o nome 'nothing like it' no catálogo; nenhum nome chega perto.\n",
        ),
        (
            ("sync", "--check", "none.xlsx"),
            "none.xlsx não pode ser lido: No such file or directory.\n",
        ),
        (
            ("template", "none/plan.xlsx"),
            "Não há o diretório none; crie-o primeiro.\n",
        ),
        (
            ("send", "draft.eml"),
            (
                "Nenhum servidor de e-mail foi indicado; acrescente --server HOST, ou defina "
                "XLSIZING_SMTP_SERVER.\n"
            ),
        ),
        (
            ("calibrate", "gpt-oss-120b", "log.txt", "--server", "dgx-b300"),
            "O texto não tem nenhuma linha que diga o tamanho de um cache KV, como 'GPU KV cache",
        ),
        (
            ("catalog", "import-hf", "config.json", "--name", "m"),
            "num_hidden_layers é 0; deve ser um número inteiro de no mínimo 1 e no máximo 10^15.\n",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_commands_refuse_in_portuguese(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XLSIZING_SMTP_SERVER", raising=False)
    Path("log.txt").write_text("INFO\n", encoding="utf-8")
    Path("config.json").write_text(
        '{"model_type": "llama", "num_hidden_layers": 0}', encoding="utf-8"
    )
    assert main([*arguments, "--lang", "pt-BR"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(said)
    assert printed.err.count("\n") == 1


def test_an_unknown_language_is_refused_in_that_of_the_system(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "pt_BR")
    assert main(["catalog", "list", "--lang", "fr"]) == 2
    assert capsys.readouterr().err == "--lang é 'fr'; deve ser en ou pt-BR.\n"


def test_faults_of_catalogs_are_a_line_each_with_nothing_that_a_terminal_would_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "red\x1b[31m\nfolder"
    folder.mkdir()
    for name, text in (
        ("models.json", '{"models": [{"name": "m\\n", "num_layers": "4\\u001b"}]}'),
        ("servers.json", '{"servers": []'),
        ("storage.json", '{"profiles": [], "odd\\u202e": 1}'),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    printed = {}
    for tag in ("en", "pt-BR"):
        command = ["catalog", "validate", "--catalogs", str(folder), "--lang", tag]
        assert main(command) == 2
        printed[tag] = capsys.readouterr().err.splitlines()
        assert all(line.isprintable() for line in printed[tag])
    # As many faults, in the same files and places.
    places = {tag: [line.split(": ")[:2] for line in lines] for tag, lines in printed.items()}
    assert len(printed["en"]) == len(printed["pt-BR"]) > 6
    assert [place[0] for place in places["en"]] == [place[0] for place in places["pt-BR"]]
    where = rf"{tmp_path}/red\x1b[31m\nfolder"
    assert (
        rf"{where}/models.json: models[0].num_layers: num_layers é '4\x1b'; deve ser um número "
        "inteiro de no mínimo 1 e no máximo 10^15."
    ) in printed["pt-BR"]
    assert (
        f"{where}/models.json: models[0].max_position_embeddings: Falta o campo "
        "'max_position_embeddings'; um modelo deve tê-lo."
    ) in printed["pt-BR"]
    assert (
        f"{where}/servers.json: linha 1, coluna 15: O arquivo acaba no meio do seu JSON; se outro "
        "programa ainda o está gravando, tente de novo daqui a pouco."
    ) in printed["pt-BR"]
    assert (
        rf"{where}/storage.json: odd\u202e: Esta chave é desconhecida; o arquivo pode conter "
        "$schema e profiles."
    ) in printed["pt-BR"]


def test_more_faults_than_are_listed_are_counted_in_portuguese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models.json").write_text(
        f'{{"models": [{", ".join(["1"] * 50)}]}}', encoding="utf-8"
    )
    assert main(["catalog", "validate", "--catalogs", str(tmp_path), "--lang", "pt-BR"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "E mais 12."
