"""The zips as the stack deploys them: functions in the emulator, fed by its poller, called by URL."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambdas.package.build import PROJECT, build, plan
from tests.lambdas.calls import http_event, post
from tests.lambdas.stand import CREDENTIALS, MAX_RECEIVE_COUNT, REGION, wait_for

if TYPE_CHECKING:
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ROLE = "arn:aws:iam::123456789012:role/tap"


@pytest.fixture(scope="module")
def zips() -> dict[str, bytes]:
    built = build(PROJECT / "dist", plan())
    return {each.path.stem: each.path.read_bytes() for each in built}


@pytest.fixture
def functions(stand: Stand, zips: dict[str, bytes]) -> dict[str, str]:
    """Both functions, deployed; their names by package."""
    client: Any = stand.client("lambda")
    names = {package: f"{stand.name}-{package.replace('_', '-')}" for package in zips}
    for package, code in zips.items():
        client.create_function(
            FunctionName=names[package],
            Runtime="python3.13",
            Architectures=["arm64"],
            Role=ROLE,
            Handler=f"{package}.app.handler",
            Code={"ZipFile": code},
            Timeout=30,
            TracingConfig={"Mode": "Active"},
            Environment={"Variables": {**stand.environment, "POWERTOOLS_SERVICE_NAME": f"tap-{package}"}},
        )
    client.create_event_source_mapping(
        FunctionName=names["processor"],
        EventSourceArn=stand.arn_of_queue("work"),
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    return names


def invoke(stand: Stand, function: str, event: object) -> Any:  # noqa: ANN401 - JSON
    client: Any = stand.client("lambda")
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer
    return json.loads(answer["Payload"].read())


def test_bare_objects_are_answered(stand: Stand, functions: dict[str, str]) -> None:
    for function in functions.values():
        response = invoke(stand, function, {"test": "integration"})
        assert response["statusCode"] == 200
        assert json.loads(response["body"])["status"] == "ok"


def test_items_go_through_the_whole_stack(stand: Stand, functions: dict[str, str]) -> None:
    api = functions["api_handler"]
    ids = set[str]()
    for number in range(12):
        response = invoke(stand, api, post({"type": "order", "payload": {"number": number}}))
        assert response["statusCode"] == 202
        ids.add(json.loads(response["body"])["id"])
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="poison")
    wait_for(lambda: stand.depth(stand.queue_url) == 0 and stand.depth(stand.dead_letter_url) == 1, 60)
    rows = {row["id"]["S"]: row for row in stand.rows()}
    assert {row["status"]["S"] for item_id, row in rows.items() if item_id in ids} == {"processed"}
    (poison,) = [row for item_id, row in rows.items() if item_id not in ids]
    assert (poison["status"], poison["attempts"]) == ({"S": "rejected"}, {"N": str(MAX_RECEIVE_COUNT)})
    assert len(stand.objects("processed/")) == 12
    record = json.loads(invoke(stand, api, http_event("GET", f"/items/{min(ids)}"))["body"])
    assert record["status"] == "processed"


def call_url(stand: Stand, url: str, *, signed: bool) -> tuple[int, bytes]:
    """`POST /items` of half an object, to a function URL."""
    headers = {"Host": url.split("://")[1].rstrip("/"), "Content-Type": "application/json"}
    request = AWSRequest("POST", f"{url}items", headers=headers, data=b"{")
    if signed:
        key = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
        SigV4Auth(key, "lambda", REGION).add_auth(request)
    sent: Any = request.headers
    address = f"{stand.endpoint}/items"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address, b"{", dict(sent)), timeout=30)  # noqa: S310
    return caught.value.code, caught.value.read()


def test_the_function_url_serves_signed_requests_only(stand: Stand, functions: dict[str, str]) -> None:
    client: Any = stand.client("lambda")
    answer = client.create_function_url_config(FunctionName=functions["api_handler"], AuthType="AWS_IAM")
    status, body = call_url(stand, answer["FunctionUrl"], signed=True)
    assert (status, json.loads(body)["type"]) == (400, "urn:tap:problem:malformed-request")
    assert call_url(stand, answer["FunctionUrl"], signed=False)[0] == 403
