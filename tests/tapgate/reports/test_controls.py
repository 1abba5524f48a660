from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.reports.controls import Control, PolicyInfo, control_order, framework_title, policies_of
from tests.tapgate.reports.strategies import unhurried


def controls(*tags: str) -> list[str]:
    return [f"{one.framework} {one.identifier}" for one in PolicyInfo("p", "q", tags=tags).controls]


def test_controls_are_read_from_tags_in_natural_order() -> None:
    tags = ("aws", "kms", "cis-aws-v3.0.0:3.10", "aws-fsbp:KMS.4", "cis-aws-v3.0.0:3.6", " nist:SC-12(2) ")
    assert controls(*tags, "nist:SC-12", "nist:AU-10", "nist:AU-6") == [
        "aws-fsbp KMS.4",
        "cis-aws-v3.0.0 3.6",
        "cis-aws-v3.0.0 3.10",
        "nist AU-6",
        "nist AU-10",
        "nist SC-12",
        "nist SC-12(2)",
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "team:payments",
        "https://example.com/1",
        "arn:aws:s3:::bucket1",
        "urn:1",
        "fsbp:",
        ":KMS.4",
        "FSBP",
        "2024:AC-1",
        "FSBP:.4",
        "a b:AC-1",
    ],
)
def test_other_tags_are_no_controls(tag: str) -> None:
    assert controls(tag) == []


def test_the_compliance_field_counts_unless_a_tag_has_the_same_control() -> None:
    info = PolicyInfo("p", "q", framework="CIS 1.4", reference="2.8")
    assert info.controls == (Control("CIS 1.4", "2.8"),)
    assert replace(info, tags=("cis:2.8",)).controls == (Control("cis", "2.8"),)
    assert PolicyInfo("p", "q", framework="CIS").controls == ()


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("aws-fsbp", "AWS Foundational Security Best Practices"),
        ("FSBP", "AWS Foundational Security Best Practices"),
        ("cis-aws-v3.0.0", "CIS AWS Foundations Benchmark 3.0.0"),
        ("CIS", "CIS AWS Foundations Benchmark"),
        ("nist-800-53-r5", "NIST SP 800-53 Rev. 5"),
        ("pci-dss-v4.0.1", "PCI DSS 4.0.1"),
        ("SOC2", "SOC2"),
    ],
)
def test_known_frameworks_have_titles(key: str, title: str) -> None:
    assert framework_title(key) == title


@given(st.lists(st.builds(Control, st.sampled_from(["a", "b"]), st.text(max_size=8))))
def test_any_identifiers_can_be_ordered(controls: list[Control]) -> None:
    keys = sorted(map(control_order, controls))
    assert [control for control, *_ in keys] == sorted(one.framework for one in controls)


def test_a_pack_is_read_in_the_form_of_the_protocol() -> None:
    pack = {
        "name": "tap",
        "policies": [
            {
                "name": "b",
                "displayName": "B holds",
                "description": "About b.",
                "severity": "POLICY_SEVERITY_HIGH",
                "url": "https://example.com",
                "remediationSteps": "Do b.",
                "tags": ["aws", "fsbp:KMS.4", 7],
                "framework": {"name": "FSBP", "version": "1.0.0", "reference": "KMS.4"},
            },
            {"name": "a", "severity": "POLICY_SEVERITY_UNSPECIFIED", "remediation_steps": "Do a."},
            {"displayName": "nameless"},
            "no policy",
        ],
    }
    assert policies_of(pack) == (
        PolicyInfo("a", "tap", remediation="Do a."),
        PolicyInfo(
            policy="b",
            pack="tap",
            title="B holds",
            description="About b.",
            severity="high",
            url="https://example.com",
            remediation="Do b.",
            tags=("aws", "fsbp:KMS.4"),
            framework="FSBP 1.0.0",
            reference="KMS.4",
        ),
    )


@unhurried
@given(
    st.recursive(
        st.none() | st.sampled_from(["fsbp:KMS.4", ""]) | st.integers(),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(["name", "version"]), x),
        max_leaves=6,
    )
)
def test_a_pack_of_any_shape_is_read_without_failing(anything: object) -> None:
    for shape in (
        {"policies": anything},
        {"policies": [{"name": "p", "framework": anything, "tags": anything}]},
    ):
        for info in policies_of(json.loads(json.dumps(shape))):
            assert info.policy
