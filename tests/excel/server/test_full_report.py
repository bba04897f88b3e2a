"""The script "Full report" over HTTP."""

from tests.book.plans import LOAD
from tests.excel.hosts.server import Server, needs_server
from tests.excel.report.hosts import elsewhere
from tests.excel.report.payload import payload
from tests.excel.report.plans import bare_workbook
from tests.excel.report.replay import replay

pytestmark = needs_server

CALL = "/xlwings/custom-scripts-call/full_report_script"


def test_excel_is_told_of_the_report(server: Server) -> None:
    scripts = server.get("/xlwings/custom-scripts-meta.json").json()
    assert [each["name"] for each in scripts] == ["Full report"]


def test_report_over_http_is_that_of_every_host(server: Server) -> None:
    plan = bare_workbook(LOAD)
    reply = server.post(payload(plan), CALL)
    assert reply.status == 200, reply.text
    done = plan.copy()
    replay(done, reply.json()["actions"])
    assert done == elsewhere(plan)


def test_what_is_wrong_with_a_plan_is_a_sentence(server: Server) -> None:
    reply = server.post(payload(bare_workbook({**LOAD, "Input_HA": "two"})), CALL)
    assert reply[:2] == (400, "HA (Sizing!C10): ha_mode is 'two'; it must be one of none, n+1.")
