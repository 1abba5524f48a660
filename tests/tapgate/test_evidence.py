from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate.assemble import loaded_packs, require_evaluated
from tapgate.findings import CouldNotRunError, Pack
from tapgate.packs import RequestedPack
from tests.tapgate.sample_log import KEY, STACK, analyzed, closing, events, stack_analyzed, step

if TYPE_CHECKING:
    from tapgate.events import EventLog


def asked(*folders: str) -> list[RequestedPack]:
    return [RequestedPack(Path(folder), None) for folder in folders]


def refusal(log: EventLog, *folders: str, allow_empty: bool = False) -> str:
    with pytest.raises(CouldNotRunError) as caught:
        require_evaluated(log, asked(*folders), allow_empty=allow_empty)
    return f"{caught.value.what} {caught.value.where}"


def test_a_complete_run_is_proof() -> None:
    require_evaluated(events(), asked("/packs/p"), allow_empty=False)


def test_packs_are_named_with_their_folder() -> None:
    log = events(end=closing(packs={"b": "2", "a|local|/x|y": "1"}))
    assert loaded_packs(log) == (Pack("a", "1", "/x|y"), Pack("b", "2", ""))


def test_a_pack_in_a_long_folder_is_known_by_what_the_engine_makes_of_it() -> None:
    folder = f"/home/{'long/' * 20}policypack"
    log = events(end=closing(packs={"p|local|/home/.../long/policypack": "1"}))
    require_evaluated(log, asked(folder), allow_empty=False)
    assert loaded_packs(log, asked(folder)) == (Pack("p", "1", folder, "none: the pack's defaults"),)
    assert "not loaded" in refusal(log, f"/home/{'long/' * 20}other")


def test_packs_that_the_engine_does_not_tell_apart_are_no_proof() -> None:
    one, two = (f"/home/{'long/' * 20}{name}/policypack" for name in ("a/x", "b/x"))
    log = events(end=closing(packs={"p|local|/home/.../x/policypack": "1"}))
    assert "Two policy packs cannot be told apart." in refusal(log, one, two)
    require_evaluated(log, asked(one, one), allow_empty=False)


def test_a_pack_that_was_not_loaded_is_no_pass() -> None:
    assert "not loaded. /packs/q" in refusal(events(), "/packs/p", "/packs/q")


def test_two_packs_of_one_name_both_have_to_be_seen() -> None:
    both = closing(packs={"p|local|/packs/p": "1", "p|local|/packs/copy": "1"})
    assert "stack policies" in refusal(events(end=both), "/packs/p", "/packs/copy")
    more = [stack_analyzed(["alarms"], []), analyzed(STACK, [], []), analyzed(KEY, [], [])]
    assert "A resource was not" in refusal(events(*more[:2], end=both), "/packs/p", "/packs/copy")
    require_evaluated(events(*more, end=both), asked("/packs/p", "/packs/copy"), allow_empty=False)


def test_without_stack_policies_it_is_no_pass() -> None:
    log = events()
    log.stack_analyzed.clear()
    assert "stack policies were not evaluated. pack p" in refusal(log, "/packs/p")


def test_a_resource_that_no_policy_saw_is_no_pass() -> None:
    assert "resource urn:new" in refusal(events(step("update", "urn:new", "t")), "/packs/p")
    two = events(step("same", "urn:a", "t"), step("create-replacement", "urn:b", "t"))
    assert "urn:a and 1 more" in refusal(two, "/packs/p")


def test_deleted_and_read_resources_need_no_policy() -> None:
    log = events(step("delete", "urn:old", "t"), step("read", "urn:other", "t"))
    require_evaluated(log, asked("/packs/p"), allow_empty=False)


def test_a_run_without_any_evaluated_policy_passes_only_when_that_is_said() -> None:
    log = events()
    log.analyzed = [one for one in log.analyzed if not one.passed]
    log.declared.pop(KEY)
    log.stack_analyzed.clear()
    log.stack_analyzed.extend(events(stack_analyzed([], [])).stack_analyzed[1:])
    assert "No policy was evaluated. pack p, resources: 1" in refusal(log, "/packs/p")
    require_evaluated(log, asked("/packs/p"), allow_empty=True)


@pytest.mark.parametrize("change", ["truncated", "no summary"])
def test_an_incomplete_log_is_no_pass(change: str) -> None:
    log = events(end={} if change == "no summary" else None)
    log.truncated = change == "truncated"
    assert "incomplete" in refusal(log, "/packs/p")
