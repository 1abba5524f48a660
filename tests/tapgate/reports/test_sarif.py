from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given

from tapgate.findings import Location
from tapgate.json_access import file_reference
from tapgate.reports.controls import PolicyInfo
from tapgate.reports.sarif import to_sarif
from tapgate.reports.verdict_file import VerdictFile
from tests.tapgate.reports import realistic
from tests.tapgate.reports.readers import validate
from tests.tapgate.reports.strategies import unhurried, verdict_files

OFFICIAL = Path(__file__).with_name("sarif-schema-2.1.0.json")
# The schema of OASIS, SARIF 2.1.0 with errata 01, byte by byte.
OFFICIAL_SHA256 = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
URI_REFERENCE = re.compile(r"(?:[A-Za-z0-9._~/:@!$&'()*+,;=-]|%[0-9A-F]{2})*")


def run_of(verdicts: VerdictFile, prefix: str = "") -> dict[str, Any]:
    document = json.loads(to_sarif(verdicts, prefix=prefix))
    validate(document, OFFICIAL)
    (run,) = document["runs"]
    return run


def result_of(verdicts: VerdictFile, rule: str) -> dict[str, Any]:
    return next(one for one in run_of(verdicts)["results"] if one["ruleId"] == f"tap-guardrails/{rule}")


def test_the_schema_is_the_official_one() -> None:
    assert hashlib.sha256(OFFICIAL.read_bytes()).hexdigest() == OFFICIAL_SHA256
    with pytest.raises(Exception, match="required property"):
        validate({"version": "2.1.0"}, OFFICIAL)


@unhurried
@given(verdict_files)
def test_any_verdict_is_valid_and_consistent(verdicts: VerdictFile) -> None:
    text = to_sarif(verdicts)
    run = run_of(verdicts)
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == sum(len(report.findings) for report in verdicts.stacks)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        for location in result["locations"]:
            uri: str = location.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "")
            assert URI_REFERENCE.fullmatch(uri)
            assert urlsplit(uri).scheme in {"", "file"}
    taxonomies = run.get("taxonomies", [])
    for rule in rules:
        for relation in rule.get("relationships", []):
            target = relation["target"]
            taxonomy = taxonomies[target["toolComponent"]["index"]]
            assert taxonomy["name"] == target["toolComponent"]["name"]
            assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
    # Messages hold no placeholder, no embedded link and no control character.
    for message in re.findall(r'"text": ("(?:[^"\\]|\\.)*")', text):
        words: str = json.loads(message)
        assert "](" not in words
        assert not re.search(r"\{\d+\}", words.replace("{{", "").replace("}}", ""))
        assert all(one == "\n" or unicodedata.category(one) not in INVISIBLE for one in words)


def test_a_violation_has_its_line_its_resource_and_its_words() -> None:
    result = result_of(realistic.blocked(), "kms-key-rotation")
    assert (result["kind"], result["level"]) == ("fail", "error")
    assert result["message"]["text"] == (
        "Key rotation is off.\n"
        "Resource: tap-data-key (aws:kms/key:Key)\n"
        "Property: enableKeyRotation\n"
        "Found: false\n"
        "Required: true\n"
        "Why: A key that never changes gives whoever learns it all past and future data.\n"
        "Fix: Set enableKeyRotation: true; AWS replaces the key material every year and keeps old data "
        "readable.\n"
        "Program: Pulumi.yaml:24"
    )
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "Pulumi.yaml"},
                "region": {"startLine": 24},
            },
            "logicalLocations": [
                {
                    "fullyQualifiedName": "urn:pulumi:prod::tap::"
                    "tap:index:TapStack$aws:kms/key:Key::tap-data-key",
                    "name": "tap-data-key",
                    "kind": "resource",
                }
            ],
        }
    ]
    assert "suppressions" not in result
    assert result["properties"]["severity"] == "high"


def test_a_rule_has_help_a_link_severity_and_controls() -> None:
    run = run_of(realistic.blocked())
    rule = next(one for one in run["tool"]["driver"]["rules"] if one["id"].endswith("/kms-key-rotation"))
    assert rule["shortDescription"]["text"] == "KMS keys rotate"
    assert rule["helpUri"].startswith("https://docs.aws.amazon.com/securityhub/")
    assert rule["properties"]["security-severity"] == "8.0"
    assert "security" in rule["properties"]["tags"]
    assert "Fix: Set enableKeyRotation: true" in rule["help"]["text"]
    targets = [(one["target"]["toolComponent"]["name"], one["target"]["id"]) for one in rule["relationships"]]
    assert ("aws-fsbp", "KMS.4") in targets
    fsbp = next(one for one in run["taxonomies"] if one["name"] == "aws-fsbp")
    assert fsbp["fullName"] == "AWS Foundational Security Best Practices"
    assert run["tool"]["driver"]["supportedTaxonomies"][0] == {"name": "aws-fsbp", "index": 0}
    assert run["tool"]["extensions"] == [{"name": "tap-guardrails", "version": "0.1.0"}]


def test_a_waiver_is_a_suppression_with_its_reason() -> None:
    result = result_of(realistic.blocked(), "iam-no-wildcards")
    assert result["level"] == "warning"
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Reason: AWS does not scope X-Ray writes to resources.; "
            "Owner: platform@example.com; Expires: 2026-12-15",
        }
    ]


def test_undecided_is_open_unless_it_blocks() -> None:
    verdicts = realistic.blocked()
    result = result_of(verdicts, "s3-public-access-block")
    assert (result["kind"], result["level"]) == ("fail", "error")
    (report,) = verdicts.stacks
    relaxed = replace(report, findings=tuple(replace(one, level="advisory") for one in report.findings))
    result = result_of(replace(verdicts, stacks=(relaxed,)), "s3-public-access-block")
    assert (result["kind"], result["level"]) == ("open", "none")


def test_alerts_are_tracked_by_resource_and_not_by_line() -> None:
    verdicts = realistic.blocked()
    (report,) = verdicts.stacks
    moved = replace(
        report, findings=tuple(replace(one, location=Location("Pulumi.yaml", 999)) for one in report.findings)
    )

    def prints(of: VerdictFile) -> list[dict[str, str]]:
        return [one["partialFingerprints"] for one in run_of(of)["results"]]

    assert prints(replace(verdicts, stacks=(moved,))) == prints(verdicts)
    assert len({one["primaryLocationLineHash"] for one in prints(verdicts)}) == len(report.findings)


def test_a_preview_without_a_line_points_at_the_program_and_an_audit_at_nothing() -> None:
    (report,) = realistic.blocked().stacks
    lost = replace(report, findings=tuple(replace(one, location=None) for one in report.findings))
    preview = run_of(VerdictFile.of("preview", [lost]))["results"][0]["locations"][0]
    assert preview["physicalLocation"] == {"artifactLocation": {"uri": "Pulumi.yaml"}}
    audit = run_of(VerdictFile.of("audit", [lost]))["results"][0]["locations"][0]
    assert list(audit) == ["logicalLocations"]


def test_paths_start_at_the_root_of_the_repository_when_that_is_asked() -> None:
    (report,) = realistic.blocked().stacks
    outside = replace(report.findings[0], location=Location("/srv/shared/lib.py", 0))
    verdicts = VerdictFile.of("preview", [replace(report, findings=(outside, *report.findings[1:]))])
    places = [
        one["locations"][0]["physicalLocation"] for one in run_of(verdicts, "stacks/tap data/")["results"]
    ]
    assert places[0] == {"artifactLocation": {"uri": "file:///srv/shared/lib.py"}}
    assert places[1]["artifactLocation"]["uri"] == "stacks/tap%20data/Pulumi.yaml"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("program/a b.py", "program/a%20b.py"),
        ("a#b?c%d.py", "a%23b%3Fc%25d.py"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//evil.example/x", "file:///evil.example/x"),
        ("C:\\work\\Pulumi.yaml", "file:///C:/work/Pulumi.yaml"),
        ("src\\main.py", "src/main.py"),
    ],
)
def test_a_path_becomes_a_reference_to_a_file(path: str, uri: str) -> None:
    assert file_reference(path) == uri


def test_stacks_that_could_not_be_audited_are_failures_of_the_run() -> None:
    run = run_of(realistic.audit())
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert invocation["endTimeUtc"] == "2026-11-23T22:50:12Z"
    (note,) = invocation["toolExecutionNotifications"]
    assert note["level"] == "error"
    assert note["message"]["text"].startswith(
        "shop-prod.json: The state is not a Pulumi checkpoint.\nWhere: backend/"
    )
    assert run["automationDetails"] == {"id": "tap-guardrails/audit/"}


def test_a_preview_replaces_the_findings_of_its_stack() -> None:
    run = run_of(realistic.blocked())
    assert run["automationDetails"] == {"id": "tap-guardrails/tap/prod/"}
    assert run["invocations"][0]["exitCode"] == 1
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "warning"
    assert "stand-in" in note["message"]["text"]


def test_braces_are_doubled_as_the_standard_asks() -> None:
    result = result_of(realistic.blocked(), "required-tags")
    assert 'Found: {{"service":"tap","stage":"prod"}}' in result["message"]["text"]
    assert result["properties"]["found"] == '{"service":"tap","stage":"prod"}'


def test_policies_that_share_a_name_are_told_apart() -> None:
    infos = [PolicyInfo("b/c", "a"), PolicyInfo("c", "a/b"), PolicyInfo("", "")]
    rules = run_of(VerdictFile.of("preview", [realistic.report([])], policies=infos))["tool"]["driver"][
        "rules"
    ]
    ids = [rule["id"] for rule in rules]
    assert {"a/b/c", "a/b/c~2", "unnamed"} <= set(ids)
