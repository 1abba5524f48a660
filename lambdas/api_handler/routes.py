"""The API's routes: each reads its request, calls what knows the answer, and writes the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from api_handler import wiring
from api_handler.ingest import Submission
from api_handler.paging import read_page, write_cursor
from api_handler.problem import (
    CONTENT_TYPE,
    INTERNAL,
    INVALID_PARAMETER,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAVAILABLE,
    ProblemError,
)
from tap_items import stack
from tap_items.health import check_health
from tap_items.item_table import NO_ITEM
from tap_items.json_text import canonical_json
from tap_items.observability import count, describe_error, logger
from tap_items.ports import UnavailableError
from tap_items.record import valid_id
from tap_items.tracing import step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from api_handler.request import HttpRequest
    from tap_items.json_text import JsonObject, JsonValue

RETRY_AFTER = {"Retry-After": "2"}
BAD_ID = "An item's id has 32 hexadecimal digits, in lower case."
METHODS: Mapping[str, str] = {"/items": "GET, POST", "/items/<item_id>": "GET", "/health": "GET"}

app = APIGatewayHttpResolver()


def state_of_dependencies() -> dict[str, str]:
    """Return what the API depends on, and whether each answers."""
    return check_health(
        {
            "table": lambda: stack.records().latest(NO_ITEM.id),
            "bucket": lambda: stack.objects().check(),
            "queue": lambda: stack.work().check(),
        }
    )


@app.post("/items")
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
        record, replayed = wiring.ingestion().ingest(submission)
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


@app.get("/items")
def list_items() -> Response[str]:
    """Return a page of records, in no order."""
    limit, after = read_page(_request().query)
    found, following = stack.records().page(limit, after)
    body: dict[str, JsonValue] = {"items": [record.attributes() for record in found]}
    if following is not None:
        body["nextCursor"] = write_cursor(following)
    return _json(200, body)


@app.get("/items/<item_id>")
def get_item(item_id: str) -> Response[str]:
    """Return one record."""
    if not valid_id(item_id):
        raise ProblemError(INVALID_PARAMETER, BAD_ID)
    record = stack.records().latest(item_id)
    if record is None:
        raise ProblemError(NOT_FOUND, "No item has this id.")
    return _json(200, record.attributes())


@app.get("/health")
def get_health() -> Response[str]:
    """Return whether everything that the API depends on answers."""
    states = state_of_dependencies()
    dependencies = cast("JsonValue", states)
    if set(states.values()) != {"ok"}:
        extra = {"dependencies": dependencies}
        raise ProblemError(UNAVAILABLE, "A dependency does not answer.", headers=RETRY_AFTER, extra=extra)
    return _json(200, {"status": "ok", "dependencies": dependencies})


@app.exception_handler(ProblemError)
def on_problem(problem: ProblemError) -> Response[str]:
    """Answer with the problem's document."""
    return _problem(problem)


@app.exception_handler(UnavailableError)
def on_unavailable(error: UnavailableError) -> Response[str]:
    """Answer 503: nothing was promised, and the same request may be sent again."""
    logger.error("A dependency failed", extra={"operation": error.operation, "code": error.code})
    detail = "The request was not completed. Send it again; it will not be carried out twice."
    return _problem(ProblemError(UNAVAILABLE, detail, headers=RETRY_AFTER))


@app.exception_handler(Exception)
def on_unexpected(error: Exception) -> Response[str]:
    """Answer 500 for a defect of ours, and log where it is."""
    logger.error("Unexpected failure", extra=describe_error(error))
    return _problem(ProblemError(INTERNAL, "The service failed. The correlation id leads to its log."))


@app.exception_handler(NotFoundError)
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
    resolver = cast("Any", app)
    resolver.append_context(request=asked)
    response = resolver.resolve(event, context)
    route = _route()
    known = route is not None and asked.method in METHODS[route].split(", ")
    return f"{asked.method} {route}" if known else "unknown", response


def _route() -> str | None:
    path = app.current_event.path.split("/")
    for route in METHODS:
        ours = route.split("/")
        if len(ours) == len(path) and all(
            a == b or (a[:1] == "<" and b) for a, b in zip(ours, path, strict=True)
        ):
            return route
    return None


def _request() -> HttpRequest:
    return cast("Any", app).context["request"]


def _problem(problem: ProblemError) -> Response[str]:
    count("RequestsRefused" if problem.type.status < 500 else "RequestsFailed")
    logger.info("Request refused", extra={"problem": problem.type.name, "detail": problem.detail})
    body = canonical_json(problem.body(_request().correlation_id)).decode("utf-8")
    return Response(problem.type.status, CONTENT_TYPE, body, headers=dict(problem.headers))


def _json(status: int, body: JsonValue, headers: Mapping[str, str] | None = None) -> Response[str]:
    return Response(
        status, "application/json", canonical_json(body).decode("utf-8"), headers=dict(headers or {})
    )
