from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_stack.names import (
    ALARM_TOPIC,
    DEAD_LETTERS,
    FAILED_EVENTS,
    MAX_SUFFIX_LENGTH,
    METADATA_TABLE,
    SUFFIX_PATTERN,
    WORK,
    Addresses,
    Location,
    Names,
    suffix_of_stack,
)

LONGEST_REGION = "us-isof-south-1"

# Made of their parts, which takes a tenth of the time of making them by the pattern.
LETTERS = "abcxyz059"
suffixes = st.one_of(
    st.text(LETTERS, min_size=1, max_size=MAX_SUFFIX_LENGTH),
    st.lists(st.text(LETTERS, min_size=1, max_size=4), min_size=2, max_size=5).map("-".join),
)
locations = st.builds(
    Location,
    account=st.integers(0, 10**12 - 1).map("{:012}".format),
    region=st.sampled_from(["eu-west-2", "ap-southeast-1", LONGEST_REGION]),
    partition=st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-iso-f"]),
)

# What each service accepts as a name; the source is the API reference of its create operation.
BUCKET = re.compile(r"(?=.{3,63}$)[a-z0-9][a-z0-9.-]*[a-z0-9]")
FUNCTION = re.compile(r"[a-zA-Z0-9-_]{1,64}")
ROLE = re.compile(r"[\w+=,.@-]{1,64}")
QUEUE = re.compile(r"[a-zA-Z0-9_-]{1,80}")
TABLE = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
TOPIC = re.compile(r"[a-zA-Z0-9_-]{1,256}")
ALIAS = re.compile(r"alias/(?!aws/)[a-zA-Z0-9/_-]{1,250}")
ALARM = re.compile(r".{1,255}")
LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


@given(suffixes, locations)
def test_every_name_is_legal_for_its_service(suffix: str, location: Location) -> None:
    assert SUFFIX_PATTERN.fullmatch(suffix)
    names = Names(suffix)
    addresses = Addresses(names, location)
    legal = {
        addresses.bucket_name: BUCKET,
        addresses.key_alias: ALIAS,
        addresses.role_name("api-handler"): ROLE,
        addresses.role_name("processor"): ROLE,
        names.of("api-handler"): FUNCTION,
        names.of("processor"): FUNCTION,
        names.of(METADATA_TABLE): TABLE,
        names.of(WORK): QUEUE,
        names.of(DEAD_LETTERS): QUEUE,
        names.of(FAILED_EVENTS): QUEUE,
        names.of(ALARM_TOPIC): TOPIC,
        names.log_group("api-handler"): LOG_GROUP,
    } | dict.fromkeys(names.alarms, ALARM)
    for name, pattern in legal.items():
        assert pattern.fullmatch(name), name


def test_the_longest_suffix_fills_the_bucket_name() -> None:
    location = Location("123456789012", LONGEST_REGION, "aws-iso-f")
    longest = Addresses(Names("x" * MAX_SUFFIX_LENGTH), location)
    assert len(longest.bucket_name) == 63


@given(suffixes, suffixes, locations)
def test_two_environments_share_no_name(one: str, other: str, location: Location) -> None:
    def names(suffix: str) -> set[str]:
        plain = Names(suffix)
        addresses = Addresses(plain, location)
        return {
            addresses.bucket_name,
            addresses.key_alias,
            addresses.role_name("api-handler"),
            addresses.role_name("processor"),
            plain.of("api-handler"),
            plain.of("processor"),
            plain.of(METADATA_TABLE),
            plain.of(WORK),
            plain.of(DEAD_LETTERS),
            plain.of(FAILED_EVENTS),
            plain.of(ALARM_TOPIC),
            *plain.alarms,
        }

    assert one == other or names(one).isdisjoint(names(other))


@given(suffixes, locations)
def test_global_names_differ_by_region(suffix: str, location: Location) -> None:
    here = Addresses(Names(suffix), location)
    there = Addresses(Names(suffix), Location(location.account, "sa-east-1", location.partition))
    assert here.bucket_name != there.bucket_name
    assert here.role_name("processor") != there.role_name("processor")
    assert here.key_alias != there.key_alias


@given(suffixes, locations)
def test_every_arn_is_of_the_partition(suffix: str, location: Location) -> None:
    addresses = Addresses(Names(suffix), location)
    arns = [
        addresses.account_root,
        addresses.bucket,
        addresses.metadata_table,
        addresses.queue(WORK),
        addresses.queue(DEAD_LETTERS),
        addresses.queue(FAILED_EVENTS),
        addresses.alarm_topic,
        addresses.role("processor"),
        addresses.log_group("processor"),
        *addresses.alarms,
    ]
    assert all(arn.startswith(f"arn:{location.partition}:") for arn in arns)
    assert all(location.account in arn for arn in arns)


@pytest.mark.parametrize(
    ("stack", "suffix"),
    [
        ("TapStackpr12", "pr12"),
        ("TapStackPR12", "PR12"),
        ("TapStack", None),
        ("dev", None),
        ("MyTapStackdev", None),
        ("tapstackdev", None),
    ],
)
def test_a_stack_can_name_the_environment(stack: str, suffix: str | None) -> None:
    assert suffix_of_stack(stack) == suffix
