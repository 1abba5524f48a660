from __future__ import annotations

from pathlib import Path

import pytest

from tapgate.deploy import failed_update
from tapgate.engine import Run
from tests.tapgate.sample_log import KEY, STACK, diagnostic, events

NOT_REACHED = f"expected resource operations for {KEY} but none were seen"
DONE = "Carried out until then, and recorded in the state: create 3."


def run(errors: str = "", *, interrupted: bool = False) -> Run:
    return Run(code=1, output=Path("unused"), errors=errors, seconds=1.0, interrupted=interrupted)


def said(
    *messages: tuple[str, str], errors: str = "", interrupted: bool = False
) -> tuple[str, str, str, tuple[str, ...]]:
    log = events(*(diagnostic("error", message, urn) for message, urn in messages))
    failure = failed_update(
        log, run(errors, interrupted=interrupted), where="project p, stack s", applied="create 3"
    )
    assert failure.why.endswith(DONE)
    assert "again" in failure.fix or "pulumi cancel" in failure.fix
    return failure.what, failure.where, failure.fix, failure.details


def test_a_resource_that_failed_is_named_and_what_was_not_reached_is_not_blamed() -> None:
    what, where, fix, details = said(
        ("kms create_key: all is lost", KEY), (NOT_REACHED, STACK), errors=f"error: {NOT_REACHED}"
    )
    assert what == "The deployment stopped at a resource that failed."
    assert where == "project p, stack s, resource tap-key (aws:kms/key:Key)"
    assert "goes on from there" in fix
    assert details == ("kms create_key: all is lost",)


@pytest.mark.parametrize(
    "messages",
    [
        [(NOT_REACHED, STACK)],
        [("resource urn violates plan: properties changed: ~~name", KEY)],
        [("create is not allowed by the plan: no steps were expected for this resource", KEY)],
    ],
)
def test_another_program_than_the_previewed_one_is_told(messages: list[tuple[str, str]]) -> None:
    what, _, _, details = said(*messages)
    assert what == "The deployment is not the one that was previewed."
    assert details == (messages[0][0],)


def test_expired_credentials_are_told_whatever_was_not_reached() -> None:
    what, where, fix, _ = said(
        ("kms create_key: The security token included in the request is expired", KEY), (NOT_REACHED, STACK)
    )
    assert what == "AWS does not accept the credentials."
    assert where == "project p, stack s"
    assert "aws sso login" in fix


def test_a_lock_is_told() -> None:
    assert (
        said(errors="error: the stack is currently locked by 1 lock(s)")[0]
        == "The stack is locked by another run."
    )


def test_an_interrupt_says_what_was_done_until_then() -> None:
    what, _, fix, _ = said((NOT_REACHED, STACK), interrupted=True)
    assert what == "The deployment was interrupted."
    assert "goes on from there" in fix


def test_a_program_that_fails_is_no_resource_that_failed() -> None:
    what, _, _, _ = said(("the program is broken", STACK), (NOT_REACHED, STACK))
    assert what == "The program does not run to its end."
