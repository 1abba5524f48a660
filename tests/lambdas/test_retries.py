"""What AWS refuses for the moment: asked again by the client, with back-off and jitter, before it counts."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from tests.lambdas.calls import call_api, deliver, post
from tests.lambdas.faults import hooked

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ITEM: dict[str, Any] = {"type": "order", "payload": {}}


class Raw:
    """The body of a response, as botocore reads it from the wire."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Generator[bytes]:
        yield self._content


def answer(status: int, code: str = "") -> AWSResponse:
    """An error response of a service that speaks JSON, or one without a body."""
    body = f'{{"__type":"{code}"}}'.encode() if code else b""
    return AWSResponse("http://injected", status, HTTPHeaders(), Raw(body))


@contextmanager
def refused(times: int, response: AWSResponse | Exception) -> Generator[Counter[str]]:
    """Refuse the first attempts of each operation, on the wire; how many were refused."""
    attempts: Counter[str] = Counter()

    def refuse(event_name: str, **_: object) -> AWSResponse | None:
        service, operation = event_name.split(".")[1:]
        if attempts[operation] == times or (service == "s3" and response is REFUSALS["throttled"]):
            return None
        attempts[operation] += 1
        if isinstance(response, Exception):
            raise response
        return response

    with hooked("before-send", refuse):
        yield attempts


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the clients waited between attempts, in seconds; they do not really."""
    seconds: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", seconds.append)
    return seconds


REFUSALS: dict[str, AWSResponse | Exception] = {
    "throttled": answer(400, "ThrottlingException"),
    "unavailable": answer(503),
    "broken": answer(500),
    "no answer": ReadTimeoutError(endpoint_url="http://injected"),
}


@pytest.mark.parametrize("response", REFUSALS.values(), ids=REFUSALS.keys())
def test_two_refusals_of_each_call_are_outlasted(
    stand: Stand, waits: list[float], response: AWSResponse | Exception
) -> None:
    with refused(2, response) as attempts:
        assert call_api(post(ITEM)).status == 202
        assert deliver(stand) == (1, 0)
    (row,) = stand.rows()
    assert (row["status"], row["attempts"]) == ({"S": "processed"}, {"N": "0"})
    assert {"PutItem", "SendMessage", "GetItem", "UpdateItem"} <= attempts.keys()
    assert len(waits) == attempts.total() >= 8
    # Jitter: no two waits alike; a second at most before the first repetition, two before the next.
    assert len(set(waits)) == len(waits)
    assert all(0 < seconds <= 2 for seconds in waits)


@pytest.mark.parametrize("response", REFUSALS.values(), ids=REFUSALS.keys())
def test_the_third_refusal_is_the_last(
    stand: Stand, waits: list[float], response: AWSResponse | Exception
) -> None:
    with refused(3, response) as attempts:
        assert call_api(post(ITEM)).status == 503
    assert set(attempts.values()) == {3}
    assert len(waits) == 2 * len(attempts)
    assert call_api(post(ITEM)).status == 202
    assert len(stand.rows()) == 1
