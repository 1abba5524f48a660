from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pulumi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_stack import InvalidTapStackArgs, TapStackArgs
from tap_stack.arguments import ARGUMENTS, CONFIGURED, MAX_TAGS, RETENTION_DAYS, schema_name
from tap_stack.names import MAX_SUFFIX_LENGTH, SUFFIX_PATTERN
from tap_stack.settings import Settings, read_settings
from tests.program.recording import CODE

if TYPE_CHECKING:
    from pathlib import Path


def read(
    args: dict[str, object] | None = None, *, stack: str = "dev", config: dict[str, str] | None = None
) -> Settings:
    code: dict[str, object] = {"api_handler_code": CODE, "processor_code": CODE}
    return read_settings("tap", code | (args or {}), project="tap-stack", stack=stack, config=config)


def problems(
    args: dict[str, object], *, stack: str = "dev", config: dict[str, str] | None = None
) -> dict[str, str]:
    with pytest.raises(InvalidTapStackArgs) as caught:
        read(args, stack=stack, config=config)
    for problem in caught.value.problems:
        assert f"{problem.argument}: {problem.what}" in str(caught.value)
    return {problem.argument: problem.what for problem in caught.value.problems}


def test_defaults() -> None:
    assert read() == Settings(
        suffix="dev",
        tags={"Project": "tap-stack", "Environment": "dev", "ManagedBy": "Pulumi"},
        api_handler_code=CODE,
        processor_code=CODE,
        log_retention_in_days=7,
        log_level="INFO",
        api_handler_error_threshold=5,
        processor_error_threshold=10,
        api_handler_duration_threshold=20_000,
        notification_email=None,
        notification_topic_arn=None,
        deletion_protection=False,
        force_destroy=False,
        permissions_boundary=None,
        architecture="arm64",
        api_handler_reserved_concurrency=-1,
        processor_maximum_concurrency=10,
    )


@pytest.mark.parametrize(
    ("suffix", "days", "protected"),
    [("dev", 7, False), ("staging", 14, False), ("prod", 30, True), ("pr12", 7, False)],
)
def test_defaults_of_environments(suffix: str, days: int, protected: bool) -> None:  # noqa: FBT001
    settings = read({"environment_suffix": suffix})
    assert (settings.log_retention_in_days, settings.deletion_protection) == (days, protected)


def test_the_table_has_every_argument_in_the_order_of_the_schema() -> None:
    assert list(ARGUMENTS) == list(TapStackArgs.__annotations__)
    assert CONFIGURED == ("log_retention_in_days", "deletion_protection")


def test_config_comes_before_the_default_of_the_environment_and_after_the_program() -> None:
    config = {"logRetentionInDays": "90", "deletionProtection": "false"}
    settings = read(stack="TapStackprod", config=config)
    assert (settings.log_retention_in_days, settings.deletion_protection) == (90, False)
    given = read(
        {"log_retention_in_days": 5, "deletion_protection": True}, stack="TapStackprod", config=config
    )
    assert (given.log_retention_in_days, given.deletion_protection) == (5, True)
    # A program of somebody else's may mean something else by its own keys.
    assert read(config={"logLevel": "DEBUG"}).log_level == "INFO"


def test_bad_config_is_refused_like_a_bad_argument() -> None:
    found = problems({}, config={"logRetentionInDays": "8 days", "deletionProtection": "yes"})
    assert "'8 days' is not a whole number" in found["logRetentionInDays"]
    assert "'yes' is neither true nor false" in found["deletionProtection"]
    assert found["deletionProtection"].endswith("It is the stack's config tap-stack:deletionProtection")


@pytest.mark.parametrize(
    ("given_suffix", "stack", "suffix"),
    [
        (None, "TapStackpr12", "pr12"),
        ("", "TapStackpr12", "pr12"),
        ("blue", "TapStackpr12", "blue"),
        (None, "TapStack", "dev"),
        ("", "staging", "dev"),
    ],
)
def test_the_suffix_is_given_or_follows_from_the_stack(
    given_suffix: str | None, stack: str, suffix: str
) -> None:
    settings = read({"environment_suffix": given_suffix}, stack=stack)
    assert settings.suffix == suffix
    assert settings.tags["Environment"] == suffix


@given(st.text(max_size=40))
@example("a" * MAX_SUFFIX_LENGTH)
@example("a" * (MAX_SUFFIX_LENGTH + 1))
@example("dev\n")
@example("-dev")
@example("a--b")
@example("Dev")
@example("dév")
def test_a_suffix_is_taken_as_it_is_or_refused(suffix: str) -> None:
    legal = SUFFIX_PATTERN.fullmatch(suffix) is not None and len(suffix) <= MAX_SUFFIX_LENGTH
    if legal:
        assert read({"environment_suffix": suffix}).suffix == suffix
    elif suffix:
        what = problems({"environment_suffix": suffix})["environmentSuffix"]
        assert repr(suffix) in what
        assert "pr12" in what


def test_a_bad_suffix_from_the_stack_names_the_stack() -> None:
    what = problems({}, stack="TapStackPR_12")["environmentSuffix"]
    assert what.startswith("'PR_12' cannot end the names of AWS resources")
    assert what.endswith("It follows from the name of stack 'TapStackPR_12'")


@given(st.integers(min_value=-10, max_value=4000))
@example(0)
@example(3653)
def test_retention_is_one_that_aws_accepts(days: int) -> None:
    if days in RETENTION_DAYS:
        assert read({"log_retention_in_days": float(days)}).log_retention_in_days == days
    else:
        what = problems({"log_retention_in_days": days})["logRetentionInDays"]
        nearest = int(what.rsplit(" ", 1)[-1])
        assert nearest in RETENTION_DAYS
        assert all(abs(nearest - days) <= abs(other - days) for other in RETENTION_DAYS)
        assert ("for ever" in what) == (days == 0)


def test_numbers_come_as_floats_from_yaml() -> None:
    settings = read({"api_handler_error_threshold": 3.0, "processor_maximum_concurrency": 2.0})
    assert settings.api_handler_error_threshold == 3
    assert isinstance(settings.api_handler_error_threshold, int)
    assert settings.processor_maximum_concurrency == 2


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("log_retention_in_days", 7.5, "7.5 is not a whole number"),
        ("log_retention_in_days", float("nan"), "not a whole number"),
        ("log_retention_in_days", float("inf"), "not a whole number"),
        ("log_retention_in_days", "7", "'7' is not a whole number"),
        ("log_retention_in_days", True, "True is not a whole number"),
        ("api_handler_error_threshold", -1, "-1 is out of bounds: give a number from 0 to 1000000"),
        ("processor_error_threshold", 1_000_001, "out of bounds"),
        ("api_handler_duration_threshold", 30_000, "from 1 to 29999"),
        ("api_handler_duration_threshold", 0, "from 1 to 29999"),
        ("processor_maximum_concurrency", 1, "from 2 to 1000"),
        ("processor_maximum_concurrency", 1001, "from 2 to 1000"),
        ("api_handler_reserved_concurrency", -2, "from -1 to 100000"),
        ("log_level", "LOUD", "'LOUD' is not one of DEBUG, INFO"),
        ("log_level", 3, "3 is not text"),
        ("architecture", "arm", "'arm' is not one of arm64, x86_64"),
        ("deletion_protection", "yes", "'yes' is neither true nor false"),
        ("force_destroy", 1, "1 is neither true nor false"),
        ("notification_email", "ops", "'ops' is not an e-mail address"),
        ("notification_email", "ops@example.", "not an e-mail address"),
        ("notification_email", "a b@example.com", "not an e-mail address"),
        ("notification_topic_arn", "alarms", "'alarms' is not the ARN of a standard SNS topic"),
        ("notification_topic_arn", "arn:aws:sns:eu-west-2:123456789012:alarms.fifo", "standard SNS topic"),
        ("notification_topic_arn", "arn:aws:sqs:eu-west-2:123456789012:alarms", "standard SNS topic"),
        ("notification_topic_arn", 5, "5 is not text"),
        ("environment_suffix", 5, "5 is not text"),
        ("permissions_boundary", "boundary", "'boundary' is not the ARN of an IAM policy"),
        ("api_handler_code", "dist/api_handler.zip", "is not an archive"),
        ("tags", "team=tap", "is not a map of tags"),
        ("tags", {"team": 5}, "the tag 'team' has the value 5"),
        ("tags", {"": "x"}, "too long or empty"),
        ("tags", {"k" * 129: "x"}, "too long or empty"),
        ("tags", {"team": "x" * 257}, "too long or empty"),
        ("tags", {"AWS:team": "x"}, "begins with aws:"),
        ("tags", {"team": "a&b"}, "characters that AWS refuses"),
        ("tags", {"te&am": "a"}, "characters that AWS refuses"),
        ("tags", {f"tag{number}": "" for number in range(MAX_TAGS - 2)}, "51 tags are more than the 50"),
    ],
)
def test_a_bad_argument_is_refused(argument: str, value: object, words: str) -> None:
    found = problems({argument: value})
    assert words in found.pop(schema_name(argument))
    assert not found


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("api_handler_duration_threshold", 29_999),
        ("api_handler_error_threshold", 0),
        ("processor_maximum_concurrency", 2),
        ("processor_maximum_concurrency", 1000),
        ("api_handler_reserved_concurrency", -1),
        ("architecture", "x86_64"),
        ("log_level", "DEBUG"),
        ("permissions_boundary", "arn:aws:iam::123456789012:policy/teams/boundary"),
        ("permissions_boundary", "arn:aws:iam::aws:policy/PowerUserAccess"),
        ("deletion_protection", True),
        ("force_destroy", True),
        ("notification_email", "ops+tap@mail.example.co.uk"),
        ("notification_topic_arn", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms"),
    ],
)
def test_a_good_argument_is_taken(argument: str, value: object) -> None:
    assert getattr(read({argument: value}), argument) == value


@pytest.mark.parametrize("argument", ["notification_email", "notification_topic_arn", "permissions_boundary"])
def test_what_is_empty_is_none(argument: str) -> None:
    assert getattr(read({argument: ""}), argument) is None


def test_a_topic_may_be_an_output() -> None:
    topic = pulumi.Output.from_input("arn:aws:sns:eu-west-2:123456789012:alarms")
    assert read({"notification_topic_arn": topic}).notification_topic_arn is topic


def test_an_address_may_be_an_output() -> None:
    secret = pulumi.Output.secret("ops@example.com")
    assert read({"notification_email": secret}).notification_email is secret


@pytest.mark.parametrize(
    "argument", ["environment_suffix", "tags", "log_retention_in_days", "force_destroy", "log_level"]
)
def test_what_shapes_the_plan_may_not_be_an_output(argument: str) -> None:
    found = problems({argument: pulumi.Output.from_input("x")})
    assert found[schema_name(argument)].startswith("it is a secret, or the output of a resource")


def test_tags_lie_over_the_default_ones() -> None:
    assert read({"tags": {"Team": "tap", "Project": "other"}}).tags == {
        "Project": "other",
        "Environment": "dev",
        "ManagedBy": "Pulumi",
        "Team": "tap",
    }


def test_fifty_tags_are_allowed() -> None:
    assert len(read({"tags": {f"tag{number}": "" for number in range(MAX_TAGS - 3)}}).tags) == MAX_TAGS


def test_a_misspelt_argument_is_refused_with_the_nearest() -> None:
    found = problems({"log_retention_days": 7})
    assert found == {
        "log_retention_days": "TapStack has no such argument; did you mean log_retention_in_days?"
    }


def test_a_strange_argument_is_refused_with_all_that_there_are() -> None:
    what = problems({"xyzzy": 7})["xyzzy"]
    assert all(argument in what for argument in TapStackArgs.__annotations__)


def test_all_problems_are_reported_at_once() -> None:
    found = problems({"environment_suffix": "NO", "log_retention_in_days": 8, "colour": "red"})
    assert set(found) == {"environmentSuffix", "logRetentionInDays", "colour"}


def test_two_notification_targets_are_refused() -> None:
    found = problems(
        {
            "notification_email": "ops@example.com",
            "notification_topic_arn": "arn:aws:sns:eu-west-2:123456789012:alarms",
        }
    )
    assert "give one of" in found["notificationEmail"]


def test_protection_and_destruction_are_refused_together() -> None:
    assert "forceDestroy" in problems({"deletion_protection": True, "force_destroy": True})
    assert "forceDestroy" in problems({"environment_suffix": "prod", "force_destroy": True})


def test_missing_code_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidTapStackArgs) as caught:
        read_settings("tap", {}, project="p", stack="dev")
    found = {problem.argument: problem.what for problem in caught.value.problems}
    assert set(found) == {"apiHandlerCode", "processorCode"}
    assert "'dist/api_handler.zip'" in found["apiHandlerCode"]
    assert "python -m lambdas.package" in found["processorCode"]


def test_code_is_found_in_dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dist").mkdir()
    for name in ("api_handler", "processor"):
        (tmp_path / "dist" / f"{name}.zip").touch()
    settings = read_settings("tap", {}, project="p", stack="dev")
    assert isinstance(settings.processor_code, pulumi.FileArchive)
    assert settings.processor_code.path == "dist/processor.zip"


def test_code_may_be_an_output() -> None:
    code = pulumi.Output.from_input(CODE)
    assert read({"processor_code": code}).processor_code is code


@given(
    st.dictionaries(
        st.sampled_from(sorted(TapStackArgs.__annotations__)),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=30)
        | st.lists(st.integers(), max_size=2)
        | st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=3),
    )
)
def test_any_arguments_give_settings_or_problems(args: dict[str, object]) -> None:
    with contextlib.suppress(InvalidTapStackArgs):
        settings = read(args)
        assert SUFFIX_PATTERN.fullmatch(settings.suffix)
        assert settings.log_retention_in_days in RETENTION_DAYS
