"""The processor's entry: SQS batches with partial responses, and direct invocations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType

from processor.delivery import Deliveries, Delivery, delivery_of, is_message
from processor.work import ItemWork, RejectedError
from tap_items import stack
from tap_items.aws_clients import UnavailableError
from tap_items.item_table import NO_ITEM
from tap_items.json_text import JsonObject, JsonValue, canonical_json
from tap_items.observability import (
    begin_invocation,
    count,
    describe_error,
    flush_metrics,
    logger,
    measure_milliseconds,
)
from tap_items.record import ItemKey, valid_id
from tap_items.stack import check_health
from tap_items.tracing import step

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def item_work() -> ItemWork:
    """Return what is done with one item."""
    return ItemWork(stack.objects(), stack.records(), stack.now_milliseconds)


@cache
def deliveries() -> Deliveries:
    """Return what is done with one delivery of a message."""
    return Deliveries(item_work(), stack.records(), stack.work(), stack.now_milliseconds)


RESERVE = 0.2
"""No item is begun in the last part of an invocation's time: 60 s of the 300 s that the stack gives. A call
that fails takes at most 18 s with all its retries, and two more calls record why and time the next delivery;
a time-out would do no harm, but would leave no reason. A part, so that some time is left to work in however
little the function is given."""


class WrongSourceError(RuntimeError):
    """The function was given records of no SQS queue; failing keeps them with their source."""


class DependencyError(RuntimeError):
    """No message of a batch could be worked on because a dependency failed.

    The whole invocation fails, so that the alarm on errors sees it and the queue's poller slows down.
    """


class OutOfTimeError(Exception):
    """The invocation ends too soon to begin another item."""


def handler(event: JsonValue, context: LambdaContext) -> JsonObject:
    """Serve one invocation.

    Args:
        event: An SQS batch; or `{"id": …, "timestamp": …}` to process one item now; or any other JSON object,
            such as `{"test": "integration"}`, which asks for the state of the function and its dependencies.
        context: The invocation's context.

    Returns:
        For a batch `batchItemFailures`; otherwise `statusCode` and `body`.

    Raises:
        WrongSourceError: The event holds records that are not SQS messages.
        DependencyError: No message of the batch could be worked on.
    """
    begin_invocation(context)
    try:
        if not isinstance(event, dict):
            return _answer(400, {"detail": "The event must be a JSON object."})
        if "Records" in event:
            return _process_batch(event, context)
        if "id" in event:
            return _process_now(event)
        return _report_state()
    finally:
        flush_metrics()


def _process_batch(event: JsonObject, context: LambdaContext) -> JsonObject:
    records = event["Records"]
    if not isinstance(records, list) or not all(is_message(record) for record in records):
        raise WrongSourceError("The processor was given records that are not SQS messages.")

    reserve = context.get_remaining_time_in_millis() * RESERVE

    def process(record: SQSRecord) -> None:
        _process(delivery_of(record.raw_event), in_time=context.get_remaining_time_in_millis() >= reserve)

    batch: Any = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with batch(records, process):
        batch.process()
    failures = [value for _, value, _ in batch.exceptions]
    logger.info("Batch processed", extra={"messages": len(records), "failed": len(failures)})
    if len(failures) == len(records) and _for_want_of_a_dependency(failures):
        raise DependencyError(
            "No message of the batch could be worked on; each comes again after a back-off."
        )
    return batch.response()


def _for_want_of_a_dependency(failures: Sequence[object]) -> bool:
    """Return whether a dependency failed, and nothing else but time: what it held up counts with it."""
    return any(isinstance(each, UnavailableError) for each in failures) and all(
        isinstance(each, UnavailableError | OutOfTimeError) for each in failures
    )


def _process(delivery: Delivery, *, in_time: bool) -> None:
    work = deliveries()
    about: dict[str, object] = {
        "message_id": delivery.message_id,
        "attempt": delivery.attempt,
        "correlation_id": delivery.correlation_id,
    }
    if not in_time:
        work.release(delivery)
        count("MessagesReleased")
        logger.warning("Message released: the invocation ends too soon", extra=about)
        raise OutOfTimeError
    if delivery.sent_at:
        measure_milliseconds("MessageAge", max(0, stack.now_milliseconds() - delivery.sent_at))
    try:
        with step("process item"):
            outcome = work.process(delivery)
    except RejectedError as rejection:
        count("ItemsRejected")
        logger.error("Item rejected", extra={**about, "reason": rejection.reason})
        raise
    except UnavailableError as failure:
        count("ItemsPostponed")
        logger.warning(
            "A dependency failed", extra={**about, "operation": failure.operation, "code": failure.code}
        )
        raise
    except Exception as error:
        count("ItemsFailed")
        logger.error("Unexpected failure", extra={**about, **describe_error(error)})
        raise
    count(f"Items{outcome.value.capitalize()}")
    logger.info("Item processed", extra={**about, "outcome": outcome.value})


def _process_now(event: JsonObject) -> JsonObject:
    item_id, timestamp = event["id"], event.get("timestamp")
    if not valid_id(item_id) or not isinstance(timestamp, int) or isinstance(timestamp, bool):
        return _answer(400, {"detail": "Give an item's id and its timestamp (ms, a whole number)."})
    key = ItemKey(cast("str", item_id), timestamp)
    try:
        outcome = item_work().process(key)
    except RejectedError as rejection:
        return _answer(422 if rejection.key else 404, {"id": key.id, "detail": rejection.reason})
    except UnavailableError as failure:
        return _answer(503, {"id": key.id, "detail": f"{failure}; the item waits as it was."})
    return _answer(200, {"id": key.id, "outcome": outcome.value})


def _report_state() -> JsonObject:
    states = check_health(
        {"table": lambda: stack.records().get(NO_ITEM), "bucket": lambda: stack.objects().check()}
    )
    healthy = set(states.values()) == {"ok"}
    body: JsonObject = {
        "status": "ok" if healthy else "unavailable",
        "dependencies": cast("JsonValue", states),
    }
    return _answer(200 if healthy else 503, body)


def _answer(status: int, body: JsonObject) -> JsonObject:
    headers: JsonObject = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": canonical_json(body).decode("utf-8")}
