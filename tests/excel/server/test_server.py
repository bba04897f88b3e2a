"""A real xlwings Server over HTTP on loopback answers as core does, and keeps answering."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.catalog.test_files import MODEL, write_catalogs
from tests.excel.calls import ARGUMENTS, call, expected, table, wrong_answers
from tests.excel.hosts.officejs import body, cells, shown
from tests.excel.hosts.server import CALL, Server, end, needs_server, read, request, running

pytestmark = needs_server

ADD_IN = "{http://schemas.microsoft.com/office/appforoffice/1.1}"
OVERRIDES = "{http://schemas.microsoft.com/office/taskpaneappversionoverrides}"
BELOW = "/sizing"
BASIC = "{http://schemas.microsoft.com/office/officeappbasictypes/1.0}"


# --- answers -----------------------------------------------------------------------------------


def test_every_call_answers_what_core_says(server: Server) -> None:
    answers = server.answers(body(*asked) for asked, _ in table())
    assert wrong_answers(cells(answers)) == []


def test_a_single_value_error_says_its_sentence_at_once(server: Server) -> None:
    page = server.get("/taskpane.html").text
    codes = re.search(r'"customFunctionsRetryCodes": \[([0-9, ]+)\]', page)
    assert codes
    reply = server.post(body(*call("NODES_REQUIRED", concurrency=1.5)))
    assert reply.status == 400
    assert str(reply.status) not in codes[1].split(", ")
    assert reply.text == (
        "concurrency is 1.5; it must be a whole number of at least 1 and at most 10^18."
    )


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        (b"{", 400, "This is not a call from Excel: it must be a JSON object."),
        (b"[1]", 400, "This is not a call from Excel: it must be a JSON object."),
        (b"\xff{}", 400, "This is not a call from Excel: it must be a JSON object."),
        (b"{}", 400, "There is no function named None on this server."),
        (
            b'{"func_name": "NO_SUCH"}',
            400,
            "There is no function named 'NO_SUCH' on this server.",
        ),
        (b'{"func_name": "Range"}', 400, "There is no function named 'Range' on this server."),
        (
            b'{"func_name": "CATALOG"}',
            400,
            "CATALOG takes 1 to 3 arguments, of which 0 came.",
        ),
        (b'{"func_name": "CATALOG", "args": [null]}', 500, "An error occurred."),
    ],
)
def test_what_excel_would_not_send_leaks_nothing(
    server: Server, sent: bytes, status: int, sentence: str
) -> None:
    assert server.post(sent)[:2] == (status, sentence)
    assert server.post(sent + b" " * 2_000)[:2] == (status, sentence)


@pytest.mark.parametrize("count", [0, 3, 10])
def test_a_wrong_number_of_arguments_is_a_sentence(server: Server, count: int) -> None:
    reply = server.post(body("NODES_REQUIRED", [1] * count))
    said = f"NODES_REQUIRED takes 4 to 9 arguments, of which {count} came."
    assert reply[:2] == (400, said)


def test_there_are_no_scripts_but_ours(server: Server) -> None:
    for name in ("hello_world", "custom_functions", "closing"):
        reply = server.post({}, f"/xlwings/custom-scripts-call/{name}")
        assert reply[:2] == (400, f"There is no script named {name!r} on this server.")


# --- what Excel is told ------------------------------------------------------------------------


def test_excel_is_told_of_our_functions_and_of_no_others(server: Server) -> None:
    meta = server.get("/xlwings/custom-functions-meta.json").json()
    assert meta["allowErrorForDataTypeAny"] is True
    found = {each["name"]: each for each in meta["functions"]}
    assert set(found) == set(ARGUMENTS)
    for name, described in found.items():
        assert described["id"] == name
        assert 10 < len(described["description"]) <= 255
        wanted = ARGUMENTS[name].split()
        assert len(described["parameters"]) == len(wanted)
        for parameter, word in zip(described["parameters"], wanted, strict=True):
            assert parameter.get("optional", False) is word.startswith("[")
            assert (parameter["dimensionality"], parameter["type"]) == ("matrix", "any")
            assert 0 < len(parameter["description"]) <= 255


def test_the_code_associates_each_function_with_its_name(server: Server) -> None:
    code = server.get("/xlwings/custom-functions-code.js").text
    assert set(re.findall(r'CustomFunctions\.associate\("(\w+)"', code)) == set(ARGUMENTS)
    assert f'"{CALL}"' in code


def test_the_manifest_leads_to_the_functions_without_a_namespace(server: Server) -> None:
    assert f"http://127.0.0.1:{server.port}/manifest.xml" in server.said
    behind_proxy = {"Host": "sizing.example.com", "X-Forwarded-Proto": "https"}
    manifest = server.get("/manifest.xml", **behind_proxy).text
    add_in = ET.fromstring(manifest)
    assert add_in.findtext(f"{ADD_IN}Id") == "4bdb60b3-b3e7-463d-abfd-4b6678d7d0aa"
    assert add_in.find(f".//{OVERRIDES}Namespace") is None
    assert add_in.find(f".//{OVERRIDES}ExtensionPoint/{OVERRIDES}Script") is not None
    named = {each.get("id") for each in add_in.iter() if each.tag.startswith(BASIC)} - {None}
    asked = {each.get("resid") for each in add_in.iter()} - {None}
    assert asked == named
    addresses = {
        each.get("DefaultValue", "")
        for each in add_in.iter()
        if "://" in each.get("DefaultValue", "")
    }
    assert all(address.startswith("https://") for address in addresses)
    ours = [each for each in addresses if each.startswith("https://sizing.example.com/")]
    assert len(ours) >= 6
    for address in ours:
        assert server.get(address.removeprefix("https://sizing.example.com")).status == 200


def test_the_folder_that_it_is_started_in_stays_as_it_was(server: Server) -> None:
    assert [each.name for each in Path(server.log).parent.iterdir()] == ["log"]


# --- many at once ------------------------------------------------------------------------------


def test_twenty_clients_at_once_get_their_own_answers(server: Server) -> None:
    def ask(client: int) -> list[tuple[Any, Any]]:
        sessions = [100 * client + 1_000 * step for step in range(1, 6)]
        asked = [
            *(call("NODES_REQUIRED", concurrency=each) for each in sessions),
            call("NODES_REQUIRED", concurrency=[[each] for each in sessions * 40]),
        ]
        answers = cells(server.answers(body(*each) for each in asked))
        return [(expected(each), answer) for each, answer in zip(asked, answers, strict=True)]

    with ThreadPoolExecutor(20) as clients:
        found = [pair for pairs in clients.map(ask, range(20)) for pair in pairs]
    assert len(found) == 120
    assert [right for right, _ in found] == [answer for _, answer in found]


def test_a_long_call_does_not_keep_others_waiting(server: Server) -> None:
    rows = 100_000
    columns = {
        "model": [["gpt-oss-120b"]] * rows,
        "server": [["dgx-b300"]] * rows,
        "concurrency": [[each] for each in range(1, rows + 1)],
        "context": [[131_072]] * rows,
    }
    took, waited = waiting_beside(server, body(*call("NODES_REQUIRED", **columns)), rows)
    assert max(waited) < took / 4


def test_a_short_body_that_asks_for_a_long_table_keeps_nobody_waiting(server: Server) -> None:
    contexts = [list(range(1, 10)) * 5]
    table = call("SIZING", concurrency=[[each] for each in range(1, 60)], context=contexts)
    asked = {
        name: body(*table)[name] for name in ("func_name", "args", "client", "version", "runtime")
    }
    sent = json.dumps(asked, separators=(",", ":")).encode()
    assert len(sent) <= 640
    took, waited = waiting_beside(server, sent, 59 * 45 + 1)
    assert max(waited) < took / 4


def waiting_beside(server: Server, long: Any, rows: int) -> tuple[float, list[float]]:
    """Seconds that a long call takes, and that short ones wait beside it."""
    short, waited = body(*call("NODES_REQUIRED")), []
    with ThreadPoolExecutor(1) as client, server.connection() as connection:
        start = time.perf_counter()
        answer = client.submit(server.post, long)
        while not answer.done():
            asked = time.perf_counter()
            assert request(connection, "POST", CALL, short).json() == {"result": [[2]]}
            waited.append(time.perf_counter() - asked)
            time.sleep(0.01)
        took = time.perf_counter() - start
    assert len(answer.result().json()["result"]) == rows
    return took, waited


# --- several workers, own catalogs, authentication ---------------------------------------------


@pytest.fixture(scope="module")
def companys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers below a path, with a company's catalogs, that ask for the test token."""
    catalogs = write_catalogs(tmp_path_factory.mktemp("catalogs"))
    settings = {
        "XLWINGS_AUTH_PROVIDERS": '["custom"]',
        "XLWINGS_APP_PATH": BELOW,
        "XLWINGS_HOSTNAME": "example.com",
    }
    with running("--workers", "2", "--catalogs", catalogs, **settings) as started:
        yield started


def test_the_manifest_that_it_names_is_the_public_one(companys: Server) -> None:
    assert "https://example.com/sizing/manifest.xml" in companys.said
    assert companys.get("/sizing/manifest.xml").status == 200


def test_each_worker_has_the_companys_catalogs(companys: Server) -> None:
    asked = body("CATALOG", ("models", None, "name"))
    for _ in range(10):
        reply = companys.post(asked, BELOW + CALL, Authorization="test-token")
        assert reply.json() == {"result": [["name"], [MODEL["name"]]]}


@pytest.mark.parametrize("path", [CALL, "/xlwings/custom-scripts-call/any"])
def test_calls_ask_for_authentication(companys: Server, path: str) -> None:
    asked = body(*call("CATALOG"))
    for token in ("", "wrong"):
        assert companys.post(asked, BELOW + path, Authorization=token).status == 401
    assert companys.post(asked, BELOW + path, Authorization="test-token").status in (200, 400)


def test_ctrl_c_ends_all_workers_without_a_traceback(companys: Server) -> None:
    assert end(companys.process) == 0
    assert "Traceback" not in read(companys.log)
    with pytest.raises(ConnectionRefusedError):
        companys.get("/")


def test_ctrl_c_ends_one_worker_without_a_traceback() -> None:
    with running() as started:
        assert end(started.process) == 0
        assert read(started.log) == ""
        with pytest.raises(ConnectionRefusedError):
            started.get("/")


# --- another language --------------------------------------------------------------------------


def test_a_server_for_portuguese_says_everything_in_it() -> None:
    with running("--lang", "pt-BR", XLWINGS_LOG_LEVEL="INFO") as started:
        assert started.said.startswith("Servindo em http://127.0.0.1:")
        [why] = started.answers([body(*call("SIZING_WHY", model="no-such"))])
        assert shown(why["result"]).startswith("Não há nenhum modelo com o nome 'no-such'")
        assert (
            started.post(b"{").text == "Esta não é uma chamada do Excel: deve ser um objeto JSON."
        )
        assert started.post(body("CATALOG", [])).text == (
            "CATALOG recebe de 1 a 3 argumentos; vieram 0."
        )
        meta = started.get("/xlwings/custom-functions-meta.json").json()
        told = {each["name"]: each["description"] for each in meta["functions"]}
        assert told["KV_PER_SESSION"] == "Cache KV de uma sessão em GiB."
        pane = started.get("/taskpane.html").text
        assert '<main class="container-fluid p-3" lang="pt-BR">' in pane
        assert "digite <code>=NODES</code> e escolha uma" in pane
        assert ">Relatório completo</button>" in pane
        add_in = ET.fromstring(started.get("/manifest.xml").text)
        assert add_in.findtext(f"{ADD_IN}DefaultLocale") == "pt-BR"
        tip = add_in.find(f".//{BASIC}String[@id='Tip']")
        assert tip is not None
        assert tip.get("DefaultValue") == (
            "Dimensione uma carga a partir das células, ou faça o relatório completo"
        )
        log = read(started.log)
    assert "Função SIZING_WHY chamada por " in log
    assert "called by" not in log


def test_a_server_for_english_says_the_pane_and_the_manifest_in_it(server: Server) -> None:
    pane = server.get("/taskpane.html").text
    assert (
        "<p>The functions are in the cells: type <code>=NODES</code> and choose one, or start with "
        "<code>=NODES_REQUIRED(model, server, concurrency, context)</code>.</p>"
    ) in pane
    assert ">Full report</button>" in pane
    add_in = ET.fromstring(server.get("/manifest.xml").text)
    assert add_in.findtext(f"{ADD_IN}DefaultLocale") == "en-US"
    description = add_in.find(f"{ADD_IN}Description")
    assert description is not None
    assert (
        description.get("DefaultValue") == "How many GPU nodes it takes to serve a language model"
    )
