"""The full report through the server: what Excel is told to do is what xlwings itself sends."""

import json
from typing import Any

from tests.excel.hosts.server import Server, needs_server
from tests.excel.report.hosts import actions
from tests.excel.report.payload import payload
from tests.excel.report.plans import planning_workbook
from tests.excel.report.state import BookState

pytestmark = needs_server

SCRIPT = "/xlwings/custom-scripts-call/full_report_script"


def test_the_report_is_the_only_script_and_has_its_button(server: Server) -> None:
    told = server.get("/xlwings/custom-scripts-meta.json").json()
    assert [(each["function_name"], each["name"]) for each in told] == [
        ("full_report_script", "Full report")
    ]
    assert 'xw-click="full_report_script"' in server.get("/taskpane.html").text


def test_the_report_does_what_xlwings_itself_sends(server: Server) -> None:
    plan: BookState = planning_workbook({"Input_Concurrency": 500}, [])
    sent = server.post(payload(plan), SCRIPT)
    assert sent.status == 200
    found: list[dict[str, Any]] = sent.json()["actions"]
    assert found
    assert found == json.loads(json.dumps(actions(plan)))


def test_a_plan_that_cannot_be_sized_is_a_sentence(server: Server) -> None:
    reply = server.post(payload(planning_workbook({"Input_Model": "no-such"})), SCRIPT)
    assert reply.status == 400
    assert "no-such" in reply.text
    assert "Traceback" not in reply.text

    asked = {"Input_Model": "no-such", "Setting_Language": "pt-BR"}
    reply = server.post(payload(planning_workbook(asked)), SCRIPT)
    assert reply.text.startswith("Modelo (Sizing!C18): Não há nenhum modelo com o nome 'no-such'")


def test_the_report_is_in_the_language_that_the_workbook_asks_for(server: Server) -> None:
    plan = planning_workbook({"Setting_Language": "pt-BR"}, [])
    found = server.post(payload(plan), SCRIPT).json()["actions"]
    [first, *_] = [each["values"] for each in found if each["func"] == "setValues"]
    assert first[0][1] == "'Quantos nós de GPU?"
