from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tapgate.commands.session import write_reports
from tapgate.findings import Report
from tapgate.packs import RequestedPack
from tapgate.reports.writing import Targets

if TYPE_CHECKING:
    from pathlib import Path

REPORT = Report("shop", "dev", (), (), (), 3, (), {}, 0.0)


def test_a_pack_that_does_not_describe_itself_costs_no_report(tmp_path: Path) -> None:
    pack = RequestedPack(tmp_path / "none", None)
    write_reports("preview", [REPORT], [pack], Targets({"verdict": tmp_path / "verdict.json"}))
    document = json.loads((tmp_path / "verdict.json").read_text())
    assert document["policies"] == []
    assert len(document["stacks"]) == 1


def test_no_report_starts_no_pack(tmp_path: Path) -> None:
    write_reports("preview", [REPORT], [RequestedPack(tmp_path / "none", None)], Targets({}))
    assert list(tmp_path.iterdir()) == []
