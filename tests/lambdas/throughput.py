"""How fast the processor works a batch of 10 off: `PYTHONPATH=lambdas:. python -m tests.lambdas.throughput`.

Prints one JSON object. The emulator's own time is most of it, so the same calls made bare are timed as well:
`overhead` is the processor's time for a batch ÷ theirs, batch by batch in turns; 1 says that nothing but AWS
is waited for.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

from tap_items import observability
from tapgate.embedded.emulator import Emulator
from tests.lambdas.calls import call_api, call_processor, post, receive
from tests.lambdas.faults import recorded
from tests.lambdas.stand import Stand

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.lambdas.faults import Call

BATCH = 10


def measure(batches: int = 20) -> dict[str, float]:
    """Time batches; milliseconds a batch, items a second, and the overhead over bare calls (medians)."""
    with _stand() as stand, _quiet():
        _fill(stand)
        with recorded() as calls:
            call_processor({"Records": _receive_batch(stand)})
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(batches):
            _fill(stand)
            records = _receive_batch(stand)
            ours.append(_seconds(partial(call_processor, {"Records": records})))
            bare.append(_seconds(partial(_repeat, stand, calls)))
    batch = statistics.median(ours)
    overhead = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    return {
        "milliseconds_a_batch": round(batch * 1000, 1),
        "items_a_second": round(BATCH / batch, 1),
        "overhead": round(overhead, 2),
    }


@contextmanager
def _stand() -> Generator[Stand]:
    with Emulator() as running:
        stand = Stand(running.endpoint)
        os.environ.update(stand.environment)
        yield stand


@contextmanager
def _quiet() -> Generator[None]:
    handler: Any = observability.logger.registered_handler
    before = handler.setStream(StringIO())
    with redirect_stdout(StringIO()):
        yield
    handler.setStream(before)


def _fill(stand: Stand) -> None:
    for number in range(BATCH):
        call_api(post({"type": "order", "payload": {"number": number, "at": time.time_ns()}}))
    assert stand.endpoint


def _receive_batch(stand: Stand) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    while len(records) < BATCH:
        records += receive(stand, BATCH - len(records))
    return records


def _repeat(stand: Stand, calls: list[Call]) -> None:
    """Make the same calls again with bare clients; the ones whose condition no longer holds are refused."""
    clients: dict[str, Any] = {"s3": stand.s3, "dynamodb": stand.dynamodb, "sqs": stand.sqs}
    for call in calls:
        client = clients[call.service]
        name = {"GetItem": "get_item", "GetObject": "get_object", "UpdateItem": "update_item"}
        method = getattr(client, name.get(call.operation, "put_object"))
        parameters = {
            key: value for key, value in call.params.items() if not key.startswith(("If", "Condition"))
        }
        answer = method(**parameters)
        if "Body" in answer:
            answer["Body"].read()


def _seconds(work: Any) -> float:  # noqa: ANN401 - any callable
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=2)
    sys.stdout.write("\n")
