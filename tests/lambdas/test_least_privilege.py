"""The roles against the calls: all that the functions call is allowed, all that is allowed is called."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from tests.lambdas.calls import call_api, call_processor, deliver, http_event, post
from tests.lambdas.faults import THROTTLED, KilledError, failing_on, killed_after, recorded
from tests.program.recording import declare, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lambdas.faults import Call
    from tests.lambdas.stand import Stand

pytestmark = pytest.mark.emulator

ITEM: dict[str, object] = {"type": "order", "payload": {}}
IAM_ACTIONS = {"HeadObject": "GetObject", "HeadBucket": "ListBucket"}
"""Where an operation needs an action of another name (service authorization reference of S3)."""


class Use(NamedTuple):
    """An action on a resource."""

    action: str
    resource: str


class Deployed(NamedTuple):
    """What the program declares for one function: its grants, and its resources by their ARN."""

    grants: list[Use]
    key_actions: set[str]
    key_services: set[str]
    bucket: str
    table: str
    queue: str
    failed_events: str
    log_group: str
    region: str


def by_lambda(deployed: Deployed, component: str) -> list[Use]:
    """What Lambda itself does with a function's role; no call of the handlers shows it."""
    polling = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    return [
        Use("logs:CreateLogStream", f"{deployed.log_group}:log-stream:any"),
        Use("logs:PutLogEvents", f"{deployed.log_group}:log-stream:any"),
        Use("xray:PutTraceSegments", "*"),
        Use("xray:PutTelemetryRecords", "*"),
        Use("sqs:SendMessage", deployed.failed_events),  # asynchronous invocations that failed
        *(Use(action, deployed.queue) for action in polling if component == "processor"),
    ]


@pytest.fixture(scope="module")
def declared() -> Callable[[str], Deployed]:
    recording = declare()

    def read(component: str) -> Deployed:
        inputs = cast("dict[str, Any]", recording.resources[f"tap-{component}"].inputs)
        variables: dict[str, str] = inputs["environment"]["variables"]
        *_, region, account = variables["KMS_KEY_ARN"].split(":")[:5]
        queue = f"arn:aws:sqs:{region}:{account}:" + variables["QUEUE_URL"].rpartition("/")[2]
        policy = statements(recording.resources[f"tap-{component}-policy"].inputs["policy"])
        key = statements(recording.resources["tap-key"].inputs["policy"])
        (use,) = [each for each in key if f"role/tap-{component}-role" in json.dumps(each["Principal"])]
        services = cast("dict[str, Any]", use["Condition"])["StringEquals"]["kms:ViaService"]
        return Deployed(
            grants=[
                Use(action, resource)
                for each in policy
                for action in listed(each["Action"])
                for resource in listed(each["Resource"])
            ],
            key_actions=set(listed(use["Action"])),
            key_services=set(listed(services)),
            bucket=f"arn:aws:s3:::{variables['BUCKET_NAME']}",
            table=f"arn:aws:dynamodb:{region}:{account}:table/{variables['TABLE_NAME']}",
            queue=queue,
            failed_events=queue.replace("tap-work-", "tap-failed-events-"),
            log_group=f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{inputs['name']}",
            region=region,
        )

    return read


def listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else cast("list[str]", value)


def uses(calls: list[Call], stand: Stand, deployed: Deployed) -> Iterator[Use]:
    """What calls against the test's stack would need on the declared one."""
    for call in calls:
        action = f"{call.service}:{IAM_ACTIONS.get(call.operation, call.operation)}"
        if call.service == "s3":
            assert call.params["Bucket"] == stand.bucket
            key = call.params.get("Key")
            yield Use(action, deployed.bucket if key is None else f"{deployed.bucket}/{key}")
        elif call.service == "dynamodb":
            assert call.params["TableName"] == stand.table
            yield Use(action, deployed.table)
        else:
            assert call.params["QueueUrl"] == stand.queue_url
            yield Use(action, deployed.queue)


def matches(grant: Use, use: Use) -> bool:
    return grant.action == use.action and fnmatch.fnmatchcase(use.resource, grant.resource)


def every_path_of_the_api(stand: Stand) -> None:
    call_api({"test": "integration"})
    call_api(http_event("GET", "/health"))
    item_id = call_api(post(ITEM)).body["id"]
    call_api(post(ITEM))
    call_api(post(ITEM, Idempotency_Key="k"))
    call_api(http_event("GET", f"/items/{item_id}"))
    call_api(http_event("GET", "/items"))
    assert stand.rows()


def every_path_of_the_processor(stand: Stand) -> None:
    call_processor({"test": "integration"})
    with failing_on(THROTTLED, "GetObject"):
        deliver(stand)
    items = [{"id": row["id"]["S"], "timestamp": int(row["timestamp"]["N"])} for row in stand.rows()]
    # After GetItem, GetObject, PutObject: the repetition finds a result.
    with killed_after(3), pytest.raises(KilledError):
        call_processor(items[0])
    for item in items:
        call_processor(item)
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="foreign")
    deliver(stand)
    key = {"id": "0" * 32, "timestamp": 1}
    call_processor(key)


PATHS = {"api-handler": every_path_of_the_api, "processor": every_path_of_the_processor}


@pytest.mark.parametrize("component", PATHS)
def test_calls_and_grants_are_the_same(
    stand: Stand, declared: Callable[[str], Deployed], component: str
) -> None:
    deployed = declared(component)
    if component == "processor":
        every_path_of_the_api(stand)
    with recorded() as calls:
        PATHS[component](stand)
    used = set(uses(calls, stand, deployed))
    refused = {use for use in used if not any(matches(grant, use) for grant in deployed.grants)}
    assert refused == set()
    known = [*used, *by_lambda(deployed, component)]
    idle = {grant for grant in deployed.grants if not any(matches(grant, use) for use in known)}
    assert idle == set()


@pytest.mark.parametrize("component", PATHS)
def test_the_key_may_be_used_through_the_services_that_are_called(
    stand: Stand, declared: Callable[[str], Deployed], component: str
) -> None:
    deployed = declared(component)
    every_path_of_the_api(stand)
    with recorded() as calls:
        PATHS[component](stand)
    called = {f"{call.service}.{deployed.region}.amazonaws.com" for call in calls}
    assert called == deployed.key_services
    assert deployed.key_actions == {"kms:Decrypt", "kms:GenerateDataKey"}
    uploads = [call.params for call in calls if call.operation == "PutObject"]
    assert uploads
    for upload in uploads:
        assert (upload["ServerSideEncryption"], upload["SSEKMSKeyId"]) == ("aws:kms", stand.key_arn)


def test_a_missing_and_an_idle_grant_are_noticed(stand: Stand, declared: Callable[[str], Deployed]) -> None:
    deployed = declared("api-handler")
    with recorded() as calls:
        call_api(http_event("GET", "/items"))
    used = set(uses(calls, stand, deployed))
    assert used == {Use("dynamodb:Scan", deployed.table)}
    assert not matches(Use("dynamodb:Scan", deployed.table + "-other"), *used)
    assert not matches(Use("dynamodb:Query", deployed.table), *used)
