"""Verdicts as users have them: one blocked stack, one that passed, and an audit with an earlier one."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from tapgate.findings import Finding, Location, Pack, PolicyTally, Report, sorted_findings
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.verdict_file import Unaudited, VerdictFile

PACK = "tap-guardrails"
HUB = "https://docs.aws.amazon.com/securityhub/latest/userguide/"
RESOURCES = 46
MADE = datetime(2026, 11, 23, 22, 50, 12, tzinfo=UTC)
STAND_IN = (
    "A stand-in for the AWS provider was used (--aws embedded): what only AWS itself checks, such as quotas "
    "and names that are taken, was not checked."
)
LEVELS = {"violation": "mandatory", "undecided": "mandatory", "error": "mandatory", "waived": "advisory"}


@cache
def _data() -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_name("realistic.yaml").read_text(encoding="utf-8"))


def policies() -> tuple[PolicyInfo, ...]:
    return tuple(
        PolicyInfo(
            policy=one["policy"],
            pack=PACK,
            title=one["title"],
            description=f"{one['title']}.",
            severity=one["severity"],
            url=HUB + one["page"] if "page" in one else "",
            tags=("aws", *one.get("controls", ())),
        )
        for one in _data()["policies"]
    )


def _finding(body: dict[str, Any], project: str, stack: str, *, located: bool) -> Finding:
    verdict = body.get("verdict", "violation")
    severity = next(one["severity"] for one in _data()["policies"] if one["policy"] == body["policy"])
    line = cast("int | None", body.get("line"))
    return Finding(
        policy=body["policy"],
        pack=PACK,
        level=body.get("level", LEVELS[verdict]),
        severity=severity,
        verdict=verdict,
        urn=f"urn:pulumi:{stack}::{project}::tap:index:TapStack${body['type']}::{body['name']}",
        type=body["type"],
        name=body["name"],
        property_path=body.get("property", ""),
        summary=body["summary"],
        found=body["found"],
        required=body["required"],
        why=body["why"],
        fix=body["fix"],
        location=Location("Pulumi.yaml", line, body.get("through", "")) if located and line else None,
        more=body.get("more", {}),
    )


def findings(
    *policies: str, project: str = "tap", stack: str = "prod", located: bool = True
) -> list[Finding]:
    """The findings of these policies, or all of them."""
    return [
        _finding(one, project, stack, located=located)
        for one in _data()["findings"]
        if not policies or one["policy"] in policies
    ]


def remediated(stack: str) -> Finding:
    """A finding that an earlier audit has."""
    return _finding(_data()["remediated"], "tap", stack, located=False)


def _tally(policy: dict[str, Any], failed: int) -> PolicyTally:
    if "checks" not in policy:
        return PolicyTally(policy["policy"], PACK, "stack", int(not failed), int(failed > 0), 0)
    checks = max(int(policy["checks"]), failed)
    return PolicyTally(policy["policy"], PACK, "resource", checks - failed, failed, RESOURCES - checks)


def report(found: list[Finding], project: str = "tap", stack: str = "prod", *notes: str) -> Report:
    tallies = [
        _tally(policy, sum(one.policy == policy["policy"] for one in found)) for policy in _data()["policies"]
    ]
    tallies.append(PolicyTally("lambda-supported-runtime", PACK, "resource", 0, 0, 0, disabled=True))
    return Report(
        project=project,
        stack=stack,
        packs=(Pack(PACK, "0.1.0", "policypack"),),
        findings=sorted_findings(found),
        tallies=tuple(sorted(tallies, key=lambda one: one.policy)),
        resources=RESOURCES,
        notes=notes,
        changes={"create": RESOURCES},
        seconds=3.42,
    )


def blocked() -> VerdictFile:
    return VerdictFile.of(
        "preview", [report(findings(), "tap", "prod", STAND_IN)], policies=policies(), made=MADE
    )


def passed() -> VerdictFile:
    return VerdictFile.of("preview", [report([])], policies=policies(), made=MADE)


def audit() -> VerdictFile:
    groups = [
        _finding({**_data()["findings"][3], "name": f"job-{n:02d}-logs"}, "batch", "dev", located=False)
        for n in range(14)
    ]
    return VerdictFile.of(
        "audit",
        [
            report(findings(located=False)),
            report([], "tap", "staging"),
            report([], "tap", "dev"),
            report(
                findings("log-group-retention", "sqs-encryption", project="orders", located=False), "orders"
            ),
            report(findings("required-tags", project="billing", located=False), "billing"),
            report(groups, "batch", "dev"),
        ],
        unaudited=[
            Unaudited(
                name="shop-prod.json",
                what="The state is not a Pulumi checkpoint.",
                where="backend/.pulumi/stacks/shop/shop-prod.json",
                why="nothing is known about this stack.",
                fix="export it again: pulumi stack export --file shop-prod.json.",
                details=("line 1: expected a JSON object, found an HTML page",),
            )
        ],
        policies=policies(),
        made=MADE,
    )


def earlier_audit() -> VerdictFile:
    orders = findings(
        "log-group-retention", "s3-public-access-block", "sqs-encryption", project="orders", located=False
    )
    return VerdictFile.of(
        "audit",
        [
            report([*findings("alarm-effective", "iam-no-wildcards", located=False), remediated("prod")]),
            report([remediated("staging")], "tap", "staging"),
            report([], "tap", "dev"),
            report(orders, "orders"),
            report([], "warehouse"),
        ],
        policies=policies(),
        made=datetime(2026, 10, 26, 6, 0, tzinfo=UTC),
    )
