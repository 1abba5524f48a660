"""The pack beside Checkov on the same stacks: where the verdicts differ, a reason says who is right.

The stacks are the cases of the pack's rules whose values are all known, put into Terraform's language.
Checkov runs once over all of them, in an environment of its own (`nox -s peers`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from tests.bench.terraform import MAPS, snake
from tests.policypack.harness.cases import RULES, Case, cases
from tests.policypack.harness.trees import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHECKOV: Final = "TAP_BENCH_CHECKOV"
"""Environment variable with the Checkov executable; `nox -s peers` sets it."""

HERE: Final = Path(__file__).parent
PEERS: Final[dict[str, Any]] = cast("dict[str, Any]", load(HERE / "checkov.yaml"))
TYPES: Final[dict[str, str]] = PEERS["types"]
REPEATED: Final[dict[str, str]] = PEERS["blocks"]
NAMES: Final[dict[str, dict[str, str]]] = PEERS["names"]
DOCUMENTS: Final = frozenset({"policy", "assumeRolePolicy", "redrivePolicy"})

VIOLATION, PASS, SILENT = "violation", "pass", "silent"
MARKS: Final = re.compile(r"4dabf18193072939515e22adb298388d|04da6b54-80e4-46f7-96ec-b56ff0331ba9|\$\{|%\{")
"""Unknowns, secrets, and what Terraform would take for a template."""


def comparable() -> list[Case]:
    """The cases of the compared policies that Terraform can say."""
    return [
        case
        for policy in PEERS["policies"]
        for case in cases(RULES[policy])
        if not case.config
        and not any(resource.is_component for resource in case.resources)
        and all(resource.type in TYPES and resource.inputs is None for resource in case.resources)
        and not MARKS.search(json.dumps([dict(resource.props) for resource in case.resources]))
    ]


def hcl(properties: Mapping[str, object], names: Mapping[str, str]) -> Iterator[str]:
    """Write the properties of a resource or a block in Terraform's language."""
    for name, value in properties.items():
        spelled = names.get(name, snake(name))
        if name in DOCUMENTS and isinstance(value, dict):
            yield f"{spelled} = {json.dumps(json.dumps(value))}"
        elif name in REPEATED and isinstance(value, list):
            for item in cast("list[object]", value):
                if isinstance(item, dict):
                    yield from block(REPEATED[name], cast("dict[str, object]", item), {})
        elif isinstance(value, dict) and name not in MAPS:
            yield from block(spelled, cast("dict[str, object]", value), {})
        elif value is not None:
            yield f"{spelled} = {json.dumps(value)}"


def block(head: str, properties: Mapping[str, object], names: Mapping[str, str]) -> Iterator[str]:
    yield f"{head} {{"
    yield from hcl(properties, names)
    yield "}"


def written(compared: list[Case], folder: Path) -> dict[str, Case]:
    """Write each case into a file of its own; return them by the file's name."""
    files: dict[str, Case] = {}
    for at, case in enumerate(compared):
        lines = (
            line
            for resource in case.resources
            for line in block(
                f'resource "{TYPES[resource.type]}" "{resource.name}"',
                resource.props,
                NAMES.get(TYPES[resource.type], {}),
            )
        )
        name = f"case{at}.tf"
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
        files[name] = case
    return files


def judged_by_checkov(folder: Path) -> dict[tuple[str, str], str]:
    """Run Checkov; return its verdicts by file and check: one failure is a violation."""
    checks = sorted({check for checks in PEERS["policies"].values() for check in checks})
    command = [os.environ[CHECKOV], "--directory", str(folder), "--framework", "terraform"]
    command += ["--output", "json"]
    command += ["--compact", "--skip-download", "--soft-fail", "--check", ",".join(checks)]
    quiet = {**os.environ, "LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=quiet, check=True)
    results = json.loads(done.stdout)["results"]
    verdicts: dict[tuple[str, str], str] = {}
    for kind, verdict in (("passed_checks", PASS), ("failed_checks", VIOLATION)):
        for one in results[kind]:
            verdicts[Path(one["file_path"]).name, one["check_id"]] = verdict
    return verdicts


def ours(case: Case) -> str:
    """What the pack says, as its own tests hold it to."""
    return VIOLATION if any(one.verdict == VIOLATION for one in case.findings) else PASS


def names_of(groups: list[dict[str, Any]]) -> Iterator[str]:
    for group in groups:
        yield from group["cases"]


@pytest.mark.skipif(CHECKOV not in os.environ, reason="needs Checkov, which `nox -s peers` brings")
def test_the_verdicts_differ_only_where_a_reason_says_why(tmp_path: Path) -> None:
    compared = comparable()
    files = written(compared, tmp_path)
    theirs = judged_by_checkov(tmp_path)
    alike = 0
    differing: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, case in files.items():
        said = {theirs.get((name, check), SILENT) for check in PEERS["policies"][case.rule.name]}
        verdict = VIOLATION if VIOLATION in said else PASS if PASS in said else SILENT
        if verdict == ours(case):
            alike += 1
        elif not (verdict == SILENT and ours(case) == PASS):
            differing[case.rule.name][f"Checkov: {verdict}"].append(case.name)
    listed = {
        policy: {kind: sorted(names_of(groups)) for kind, groups in kinds.items()}
        for policy, kinds in PEERS["differences"].items()
    }
    found = {
        policy: {kind: sorted(names) for kind, names in kinds.items()} for policy, kinds in differing.items()
    }
    assert found == listed
    assert alike >= 90


def test_every_listed_difference_has_a_reason_and_a_case() -> None:
    names = {(case.rule.name, case.name) for case in comparable()}
    for policy, kinds in PEERS["differences"].items():
        for groups in kinds.values():
            for group in groups:
                assert group["reason"]
                assert all((policy, name) in names for name in group["cases"])
