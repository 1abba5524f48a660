"""The API handler: direct invocations, and HTTP requests (payload format 2.0) by their routes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api_handler.ingest import Ingestion, Submission
from api_handler.problem import (
    CONTENT_TYPE,
    INTERNAL,
    INVALID_PARAMETER,
    MALFORMED_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAVAILABLE,
    ProblemError,
)
from api_handler.request import HttpRequest, read_page, read_request, write_cursor
from tap_items import stack
from tap_items.aws_clients import UnavailableError
from tap_items.item_table import NO_ITEM
from tap_items.json_text import JsonObject, JsonValue, canonical_json
from tap_items.observability import begin_invocation, count, describe_error, flush_metrics, log_with, logger
from tap_items.record import valid_id
from tap_items.stack import check_health
from tap_items.tracing import step

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def ingestion() -> Ingestion:
    """Return what `POST /items` does."""
    return Ingestion(stack.objects(), stack.records(), stack.work(), stack.now_milliseconds)


RETRY_AFTER = {"Retry-After": "2"}
BAD_ID = "An item's id has 32 hexadecimal digits, in lower case."
METHODS: Mapping[str, str] = {"/items": "GET, POST", "/items/<item_id>": "GET", "/health": "GET"}

router = APIGatewayHttpResolver()


def state(headers: Mapping[str, str] | None = None) -> dict[str, JsonValue]:
    """Return that all answers which the API depends on; raise `ProblemError` where something does not."""
    states = check_health(
        {
            "table": lambda: stack.records().latest(NO_ITEM.id),
            "bucket": lambda: stack.objects().check(),
            "queue": lambda: stack.work().check(),
        }
    )
    extra: dict[str, JsonValue] = {"dependencies": cast("JsonValue", states)}
    if set(states.values()) != {"ok"}:
        raise ProblemError(UNAVAILABLE, "A dependency does not answer.", headers=headers, extra=extra)
    return {"status": "ok", **extra}


@router.post("/items")
def post_item() -> Response[str]:
    """Ingest an item: 202, the same for each retry of the request."""
    asked = _request()
    content, value = asked.json()
    submission = Submission(
        content=content,
        value=value,
        caller=asked.caller,
        idempotency_key=asked.idempotency_key(),
        correlation_id=asked.correlation_id,
    )
    with step("accept item"):
        record, replayed = ingestion().ingest(submission)
    count("ItemsReplayed" if replayed else "ItemsAccepted")
    about = {"item_id": record.id, "replayed": replayed, "size": record.size}
    logger.info("Item accepted", extra=about)
    body: dict[str, JsonValue] = {
        "id": record.id,
        "timestamp": record.timestamp,
        "status": record.status.value,
        "checksum": record.checksum,
    }
    extra = {"Location": f"/items/{record.id}", "Idempotent-Replayed": str(replayed).lower()}
    return _json(202, body, extra)


@router.get("/items")
def list_items() -> Response[str]:
    """Return a page of records, in no order."""
    limit, after = read_page(_request().query)
    records, following = stack.records().page(limit, after)
    body: dict[str, JsonValue] = {"items": [record.attributes() for record in records]}
    if following is not None:
        body["nextCursor"] = write_cursor(following)
    return _json(200, body)


@router.get("/items/<item_id>")
def get_item(item_id: str) -> Response[str]:
    """Return one record."""
    if not valid_id(item_id):
        raise ProblemError(INVALID_PARAMETER, BAD_ID)
    record = stack.records().latest(item_id)
    if record is None:
        raise ProblemError(NOT_FOUND, "No item has this id.")
    return _json(200, record.attributes())


@router.get("/health")
def get_health() -> Response[str]:
    """Return whether everything that the API depends on answers."""
    return _json(200, state(RETRY_AFTER))


@router.exception_handler(ProblemError)
def on_problem(problem: ProblemError) -> Response[str]:
    """Answer with the problem's document."""
    return _problem(problem)


@router.exception_handler(UnavailableError)
def on_unavailable(error: UnavailableError) -> Response[str]:
    """Answer 503: nothing was promised, and the same request may be sent again."""
    logger.error("A dependency failed", extra={"operation": error.operation, "code": error.code})
    detail = "The request was not completed. Send it again; it will not be carried out twice."
    return _problem(ProblemError(UNAVAILABLE, detail, headers=RETRY_AFTER))


@router.exception_handler(Exception)
def on_unexpected(error: Exception) -> Response[str]:
    """Answer 500 for a defect of ours, and log where it is."""
    logger.error("Unexpected failure", extra=describe_error(error))
    return _problem(ProblemError(INTERNAL, "The service failed. The correlation id leads to its log."))


@router.exception_handler(NotFoundError)
def on_no_route(_: NotFoundError) -> Response[str]:
    """Tell a wrong method, and an id that the router does not even match, from a wrong path."""
    route = _route()
    if route is None:
        return _problem(ProblemError(NOT_FOUND, "No route has this path."))
    methods = METHODS[route]
    if _request().method in methods.split(", "):
        return _problem(ProblemError(INVALID_PARAMETER, BAD_ID))
    detail = f"Allowed here: {methods}."
    return _problem(ProblemError(METHOD_NOT_ALLOWED, detail, headers={"Allow": methods}))


def resolve(asked: HttpRequest, event: JsonObject, context: LambdaContext) -> tuple[str, dict[str, Any]]:
    """Find the request's route; its name, such as `GET /items/<item_id>` or `unknown`, and its response."""
    resolver = cast("Any", router)
    resolver.append_context(request=asked)
    response = resolver.resolve(event, context)
    route = _route()
    known = route is not None and asked.method in METHODS[route].split(", ")
    return f"{asked.method} {route}" if known else "unknown", response


def _route() -> str | None:
    path = router.current_event.path.split("/")
    for route in METHODS:
        ours = route.split("/")
        if len(ours) == len(path) and all(
            a == b or (a[:1] == "<" and b) for a, b in zip(ours, path, strict=True)
        ):
            return route
    return None


def _request() -> HttpRequest:
    return cast("Any", router).context["request"]


def _problem(problem: ProblemError) -> Response[str]:
    count("RequestsRefused" if problem.type.status < 500 else "RequestsFailed")
    logger.info("Request refused", extra={"problem": problem.type.name, "detail": problem.detail})
    body = canonical_json(problem.body(_request().correlation_id)).decode("utf-8")
    return Response(problem.type.status, CONTENT_TYPE, body, headers=dict(problem.headers))


def _json(status: int, body: JsonValue, headers: Mapping[str, str] | None = None) -> Response[str]:
    return Response(
        status, "application/json", canonical_json(body).decode("utf-8"), headers=dict(headers or {})
    )


class WrongSourceError(RuntimeError):
    """The function was wired to a source that it does not serve; failing keeps the source's messages."""


def handler(event: JsonValue, context: LambdaContext) -> JsonObject:
    """Serve one invocation.

    Args:
        event: An HTTP request of payload format 2.0 (function URL, HTTP API), or any other JSON object, such
            as `{"test": "integration"}`, which asks for the state of the function and its dependencies.
        context: The invocation's context.

    Returns:
        The HTTP response: `statusCode`, `headers`, `body`.

    Raises:
        WrongSourceError: The event holds records of a queue or another source.
    """
    begin_invocation(context)
    try:
        if isinstance(event, dict) and "Records" in event:
            raise WrongSourceError(
                "The API handler was given records. Map their source to the processor instead."
            )
        return _serve(event, context)
    except ProblemError as problem:
        return _refuse(problem, context.aws_request_id)
    finally:
        flush_metrics()


def _serve(event: JsonValue, context: LambdaContext) -> JsonObject:
    if not isinstance(event, dict):
        raise ProblemError(MALFORMED_REQUEST, "The event must be a JSON object.")
    if "httpMethod" in event:
        raise ProblemError(
            MALFORMED_REQUEST,
            "The event has payload format 1.0; set the integration's payload format to 2.0.",
        )
    if "requestContext" in event:
        return _serve_http(event, context)
    return _answer(200, "application/json", state())


def _serve_http(event: JsonObject, context: LambdaContext) -> JsonObject:
    asked = read_request(event, context.aws_request_id)
    log_with(correlation_id=asked.correlation_id)
    cast("JsonObject", event["requestContext"]).setdefault("stage", "$default")
    route, response = resolve(asked, event, context)
    # Not the path: a client may have put anything there.
    logger.info("Request served", extra={"route": route, "status": response["statusCode"]})
    response["headers"] |= {"X-Correlation-Id": asked.correlation_id, "Cache-Control": "no-store"}
    return response


def _refuse(problem: ProblemError, correlation_id: str) -> JsonObject:
    logger.warning("Invocation refused", extra={"problem": problem.type.name, "detail": problem.detail})
    more = {"X-Correlation-Id": correlation_id, "Cache-Control": "no-store"}
    return _answer(problem.type.status, CONTENT_TYPE, problem.body(correlation_id), more)


def _answer(
    status: int, content_type: str, body: JsonObject, headers: Mapping[str, str] | None = None
) -> JsonObject:
    """Return the response of an invocation that no route serves."""
    text = canonical_json(body).decode("utf-8")
    return {"statusCode": status, "headers": {"Content-Type": content_type, **(headers or {})}, "body": text}
