"""The method's test flow: scenarios as data, each through `xlsizing size --json-only`.

The run's summary ends with the scenarios that passed and failed (see conftest.py).
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import PROJECT, SCENARIO

SCENARIOS: list[dict[str, Any]] = json.loads(
    (PROJECT / "tests" / "scenarios.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_scenario(scenario: dict[str, Any], record_property: Any) -> None:
    record_property(SCENARIO, scenario["name"])
    command = [sys.executable, "-m", "xlsizing", "size", *scenario["arguments"].split()]
    run = subprocess.run(
        [*command, "--json-only"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=PROJECT,
    )
    assert run.returncode == scenario["exit"], run.stderr
    answer = json.loads(run.stdout)
    results = answer["results"]
    names = ("nodes_minimum", "nodes_with_headroom", "nodes_final")
    assert [results[name] for name in names] == (scenario["nodes"] or [None, None, None])
    assert [alert["code"] for alert in answer["alerts"]] == scenario["alerts"]
    assert answer["warnings"] == [alert["message"] for alert in answer["alerts"]]
    for name, (least, most) in scenario["ranges"].items():
        assert least <= results[name] <= most, name


def test_scenarios_cover_every_alert_that_the_shipped_catalogs_can_raise() -> None:
    seen = {code for scenario in SCENARIOS for code in scenario["alerts"]}
    # CATALOG_UNSOURCED cannot be: every shipped figure has a source.
    assert seen == {
        "HBM_BUDGET_INSUFFICIENT",
        "WEIGHTS_NOT_COVERED",
        "CONTEXT_CLAMPED",
        "KV_PRECISION_16BIT",
        "LONG_CONTEXT_IO",
        "STORAGE_CLOUD_LATENCY",
        "STORAGE_COLD_START",
        "OUT_OF_TYPICAL_RANGE",
    }
