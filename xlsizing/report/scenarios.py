"""The scenarios of a workbook as text, one a line."""

from collections.abc import Sequence

from xlsizing.core.exact import grouped


def scenario_text(scenarios: Sequence[tuple[str, int | None, str]]) -> str:
    """A heading, and a line for each scenario.

    Parameters
    ----------
    scenarios : name, nodes final or None for none, and status: OK or what is wrong.
    """
    width = max((len(name) for name, _, _ in scenarios), default=0)
    lines = ["Scenarios"]
    for name, nodes, status in scenarios:
        count = "no nodes" if nodes is None else f"{grouped(nodes)} node{'s' if nodes != 1 else ''}"
        remark = "" if status == "OK" else f"  {status}"
        lines.append(f"  {name:<{width}}  {count:>11}{remark}")
    return "\n".join(lines)
