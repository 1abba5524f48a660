"""Any history of requests, deliveries, crashes, races and outages ends well once all is recovered."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from processor import app
from processor.app import DependencyError
from processor.delivery import Deliveries
from tap_items import stack
from tests.lambdas.calls import call_api, call_processor, deliver, post, receive
from tests.lambdas.faults import THROTTLED, KilledError, failing_on, killed_after
from tests.lambdas.test_races import between
from tests.lambdas.test_redrive import move_back

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ITEMS = st.integers(0, 1)
STEPS = st.one_of(
    st.tuples(st.just("post"), ITEMS),
    st.tuples(st.just("deliver"), st.none()),
    st.tuples(st.just("crash"), st.integers(1, 8)),
    st.tuples(st.just("race"), st.integers(1, 8)),
    st.tuples(st.just("throttle"), st.sampled_from(["GetItem", "GetObject", "PutObject", "UpdateItem"])),
    st.tuples(st.just("remove"), ITEMS),
    st.tuples(st.just("restore"), ITEMS),
    st.tuples(st.just("redrive"), st.none()),
)


def at_once(_least: float, _most: float) -> float:
    return 0


class World:
    """One history: its items, and what was seen of them."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._number = len(stand.rows())
        self._content: dict[str, bytes] = {}
        self._removed: dict[str, bytes] = {}
        self._processed: dict[str, Any] = {}

    def act(self, step: str, how: Any) -> None:  # noqa: ANN401 - each step has its own
        """Take one step, and see that nothing that was done is undone."""
        match step:
            case "post":
                self._post(how)
            case "remove" | "restore" if len(self._content) > how:
                name: str = sorted(self._content)[int(how)]
                self._move_object(name, back=step == "restore")
            case "redrive":
                move_back(self._stand)
            case "deliver" | "crash" | "race" | "throttle":
                self._deliver(step, how)
            case _:
                pass
        self._look()

    def recover(self) -> None:
        """Put back what was removed, move all dead letters back, work everything off."""
        for name in list(self._removed):
            self._move_object(name, back=True)
        while self._stand.depth(self._stand.queue_url) or move_back(self._stand):
            deliver(self._stand)
        self._look()
        versions = self._stand.versions_below("processed/")
        for name in self._content:
            assert self._processed[name]["status"] == {"S": "processed"}
            assert versions[name.replace("incoming/", "processed/")] == 1
        assert self._stand.depth(self._stand.dead_letter_url) == 0

    def _post(self, number: int) -> None:
        item = {"type": "order", "payload": {"n": self._number + number}}
        if self._removed:
            return
        name = f"incoming/{call_api(post(item)).body['id']}.json"
        self._content[name] = self._stand.read(name)

    def _move_object(self, name: str, *, back: bool) -> None:
        if back and name in self._removed:
            content = self._removed.pop(name)
            self._stand.s3.put_object(Bucket=self._stand.bucket, Key=name, Body=content)
        elif not back and name not in self._removed:
            self._removed[name] = self._content[name]
            self._stand.s3.delete_object(Bucket=self._stand.bucket, Key=name)

    def _deliver(self, step: str, how: Any) -> None:  # noqa: ANN401
        records = receive(self._stand)
        event = {"Records": records}
        around: AbstractContextManager[object] = nullcontext()
        if step == "crash":
            around = killed_after(how)
        elif step == "race":
            around = between(how, lambda: self._try(event))
        elif step == "throttle":
            around = failing_on(THROTTLED, how)
        with around:
            failed = self._try(event)
        for record in records:
            message = {"QueueUrl": self._stand.queue_url, "ReceiptHandle": record["receiptHandle"]}
            if record["messageId"] in failed:
                self._stand.sqs.change_message_visibility(**message, VisibilityTimeout=0)
            else:
                self._stand.sqs.delete_message(**message)

    def _try(self, event: dict[str, Any]) -> set[str]:
        """Invoke the processor; the ids of the messages that are not done."""
        try:
            response = call_processor(event)
        except (KilledError, DependencyError):
            return {record["messageId"] for record in event["Records"]}
        return {each["itemIdentifier"] for each in response["batchItemFailures"]}

    def _look(self) -> None:
        rows = {f"incoming/{row['id']['S']}.json": row for row in self._stand.rows()}
        for name, row in self._processed.items():
            assert rows[name] == row
        for name in self._content:
            assert rows[name]["status"]["S"] != "rejected" or rows[name]["reason"]["S"]
            if rows[name]["status"]["S"] == "processed":
                self._processed[name] = rows[name]


@pytest.fixture
def world(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """A stack whose processor waits for nothing before it tries again."""
    made = Deliveries(app.item_work(), stack.records(), stack.work(), stack.now_milliseconds, at_once)
    monkeypatch.setattr(app, "deliveries", lambda: made)
    return stand


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=3, max_size=12))
def test_any_history_ends_with_each_item_processed_once(world: Stand, steps: list[tuple[str, Any]]) -> None:
    history = World(world)
    history.act("post", 0)
    for step, how in steps:
        history.act(step, how)
    history.recover()
