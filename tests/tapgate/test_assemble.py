from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tapgate.assemble import build_report
from tapgate.findings import Location, PolicyTally, Report
from tapgate.json_access import mapping, sequence
from tapgate.packs import RequestedPack
from tests.tapgate.sample_log import KEY, STACK, analyzed, diagnostic, events, finding, stack_analyzed

if TYPE_CHECKING:
    from tapgate.events import EventLog

WORDS = """Rotation is off.
Where: tap-key (aws:kms/key:Key), property `enableKeyRotation`
Found: false
Owner: me"""


def report(log: EventLog, disabled: frozenset[str] = frozenset()) -> Report:
    def locate(urn: str, path: str) -> Location | None:
        return Location("Pulumi.yaml", 12) if (urn, path) == (KEY, "enableKeyRotation") else None

    pack = RequestedPack(Path("/packs/p"), None, dict.fromkeys(disabled, "disabled"))
    return build_report(log, project="tap", stack="dev", requested=[pack], locate=locate, seconds=1.5)


def test_a_finding_has_the_words_the_resource_and_the_place() -> None:
    (one,) = report(events(finding(KEY, "rotates", WORDS, severity="high"))).findings
    assert (one.name, one.type, one.property_path) == ("tap-key", "aws:kms/key:Key", "enableKeyRotation")
    assert (one.summary, one.found, one.more) == ("Rotation is off.", "false", {"Owner": "me"})
    assert str(one.location) == "Pulumi.yaml:12"
    assert one.blocks


def test_what_blocks_comes_first_then_by_severity() -> None:
    log = events(
        finding(KEY, "c", "advice", level="advisory", severity="critical"),
        finding(KEY, "b", "low", severity="low"),
        finding(KEY, "a", "odd", severity="odd"),
        finding(KEY, "d", "high", severity="high"),
    )
    result = report(log)
    assert [one.policy for one in result.findings] == ["d", "b", "a", "c"]
    assert result.outcome == "blocked"


def test_only_advice_passes_and_an_unknown_level_blocks() -> None:
    assert report(events(finding(KEY, "a", "x", level="advisory"))).outcome == "passed"
    assert report(events(finding(KEY, "a", "x", level="remediate"))).outcome == "blocked"
    assert report(events(finding(KEY, "a", "x", level=""))).outcome == "blocked"


def test_only_a_provider_that_is_the_users_own_is_noted() -> None:
    using = "using pulumi-resource-{0} from $PATH at {1}/pulumi-resource-{0}"
    own, stand_in = using.format("random", "/opt/tools"), using.format("aws", "/c/stand-ins-0a1b2c")
    result = report(events(diagnostic("warning", own), diagnostic("warning", stand_in)))
    assert result.notes == (
        "pulumi-resource-random is the one on PATH, whatever version the program asks for",
    )


def test_policies_are_counted() -> None:
    log = events(
        analyzed(STACK, [], ["rotates"]),
        {"policyRemediateSummaryEvent": {"policyPackName": "p", "passed": ["rotates", "never"]}},
        stack_analyzed([], ["watched"]),
    )
    result = report(log, disabled=frozenset({"off", "all"}))
    assert result.tallies == (
        PolicyTally("alarms", "p", "stack", 1, 0, 0),
        PolicyTally("never", "p", "resource", 0, 0, 2),
        PolicyTally("off", "p", "resource", 0, 0, 0, disabled=True),
        PolicyTally("rotates", "p", "resource", 1, 1, 0),
        PolicyTally("watched", "p", "stack", 0, 1, 0),
    )
    assert result.resources == 2


def test_what_a_policy_put_right_is_noted() -> None:
    body = {"policyName": "rotates", "policyPackName": "p", "resourceUrn": KEY, "after": {"on": True}}
    assert report(events({"policyRemediationEvent": body})).notes == (
        (
            "rotates remediated tap-key (aws:kms/key:Key): on is now true (was not set); "
            "the program is as it was"
        ),
    )


def test_warnings_are_noted_once() -> None:
    log = events(
        diagnostic("warning", "stand-in\nprovider\n"),
        diagnostic("warning", "stand-in\nprovider\n"),
        diagnostic("warning", " "),
        diagnostic("info", "hello"),
    )
    assert report(log).notes == ("stand-in provider",)


def test_the_document_is_json_ready_and_complete() -> None:
    document = report(events(finding(KEY, "rotates", WORDS))).as_document()
    assert document["schema"] == "tap-guardrails/verdict/1"
    assert document["outcome"] == "blocked"
    assert document["changes"] == {"create": 2}
    one = mapping(sequence(document["findings"])[0])
    assert one["property"] == "enableKeyRotation"
    assert one["location"] == {"file": "Pulumi.yaml", "line": 12, "through": ""}
    assert one["blocks"] is True
    assert one["more"] == {"Owner": "me"}
