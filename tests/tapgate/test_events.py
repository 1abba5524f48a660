from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tapgate.events import Diagnostic, Remediation, read_events
from tests.tapgate.sample_log import KEY, STACK, diagnostic, events, finding, step


def test_a_run_is_read() -> None:
    log = events(
        finding(KEY, "rotates", "\x1b[31mbad\x1b[0m", severity="high"),
        {"policyRemediateSummaryEvent": {"policyPackName": "p", "passed": ["rotates"], "failed": ["other"]}},
        {
            "policyRemediationEvent": {
                "policyPackName": "p",
                "policyName": "rotates",
                "resourceUrn": KEY,
                "before": {"on": False},
                "after": {"on": True},
            }
        },
        step("create", "urn:x", "pulumi:providers:aws"),
        step("delete", "urn:gone", "aws:s3/bucket:Bucket"),
    )
    assert log.declared == {
        STACK: "pulumi:pulumi:Stack",
        KEY: "aws:kms/key:Key",
        "urn:x": "pulumi:providers:aws",
    }
    assert log.providers == {"aws"}
    assert log.packs == {"p|local|/packs/p": "1.0.0"}
    assert (log.result, log.changes, log.truncated) == ("succeeded", {"create": 2}, False)
    assert log.offered == {"p": {"rotates", "other"}}
    assert log.remediated == [Remediation("p", "rotates", KEY, ("on is now true (was false)",))]
    assert [(one.policy, one.message, one.severity) for one in log.findings] == [("rotates", "bad", "high")]


def test_debug_and_ephemeral_messages_are_left_out_and_the_closing_word_is_no_error() -> None:
    log = events(
        diagnostic("debug", "noise"),
        {"diagnosticEvent": {"severity": "info", "message": "…", "ephemeral": True}},
        diagnostic("error", "preview failed\n"),
        diagnostic("error", "a real one", KEY),
    )
    assert [one.message for one in log.diagnostics] == ["preview failed\n", "a real one"]
    assert log.errors() == [Diagnostic(KEY, "error", "a real one")]


def test_a_cut_off_log_says_so() -> None:
    log = read_events(['{"sequence":0,"policyLoadEvent":{}}', '{"sequence":1,"resourcePre'])
    assert log.truncated


NAMES = st.sampled_from(
    ["metadata", "new", "before", "after", "resourceChanges", "PolicyPacks", "passed", "message"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(NAMES | st.text(), children, max_size=4)
    ),
    max_leaves=12,
)
KINDS = [
    "policyEvent",
    "policyAnalyzeSummaryEvent",
    "policyAnalyzeStackSummaryEvent",
    "policyRemediateSummaryEvent",
    "policyRemediationEvent",
    "diagnosticEvent",
    "resourcePreEvent",
    "summaryEvent",
]


@given(st.lists(st.dictionaries(st.sampled_from(KINDS), json_values) | json_values))
def test_any_json_is_read_without_a_fault(lines: list[object]) -> None:
    read_events(json.dumps(line) for line in lines)


@given(st.lists(st.text()))
def test_any_lines_are_read_without_a_fault(lines: list[str]) -> None:
    read_events(lines)


def test_operations_that_were_carried_out_are_told_from_planned_ones() -> None:
    create = {"metadata": {"op": "create", "urn": KEY}}
    same = {"metadata": {"op": "same", "urn": KEY}}
    log = events(
        {"resOutputsEvent": create},
        {"resOutputsEvent": {**create, "planning": True}},
        {"resOutputsEvent": same},
    )
    assert log.applied == ["create"]


def test_a_plugin_that_is_slow_to_hear_of_the_end_is_no_failure() -> None:
    """On a machine with much else to do; what a plug-in does that ends earlier is said besides."""
    late = "Detected that /p/pulumi-resource-aws exited prematurely. \n       This is *always* a bug."
    assert events(diagnostic("error", late)).errors() == []
    failed = events(diagnostic("error", late), diagnostic("error", "rpc error: code = Unavailable"))
    assert [one.message for one in failed.errors()] == ["rpc error: code = Unavailable"]
    assert len(events(diagnostic("error", late, KEY)).errors()) == 1
