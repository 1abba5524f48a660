"""The API handler's entry: HTTP requests (payload format 2.0) and direct invocations."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from api_handler.problem import CONTENT_TYPE, MALFORMED_REQUEST, UNAVAILABLE, ProblemError
from api_handler.request import read_request
from api_handler.routes import resolve, state_of_dependencies
from tap_items.json_text import canonical_json
from tap_items.observability import begin_invocation, flush_metrics, log_with, logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tap_items.json_text import JsonObject, JsonValue


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
    return _report_state()


def _serve_http(event: JsonObject, context: LambdaContext) -> JsonObject:
    asked = read_request(event, context.aws_request_id)
    log_with(correlation_id=asked.correlation_id)
    cast("JsonObject", event["requestContext"]).setdefault("stage", "$default")
    route, response = resolve(asked, event, context)
    # Not the path: a client may have put anything there.
    logger.info("Request served", extra={"route": route, "status": response["statusCode"]})
    response["headers"] |= {"X-Correlation-Id": asked.correlation_id, "Cache-Control": "no-store"}
    return response


def _report_state() -> JsonObject:
    states = state_of_dependencies()
    dependencies = cast("JsonValue", states)
    if set(states.values()) != {"ok"}:
        raise ProblemError(UNAVAILABLE, "A dependency does not answer.", extra={"dependencies": dependencies})
    body = canonical_json({"status": "ok", "dependencies": dependencies}).decode("ascii")
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def _refuse(problem: ProblemError, correlation_id: str) -> JsonObject:
    logger.warning("Invocation refused", extra={"problem": problem.type.name, "detail": problem.detail})
    body = canonical_json(problem.body(correlation_id)).decode("utf-8")
    headers: JsonObject = {
        "Content-Type": CONTENT_TYPE,
        "X-Correlation-Id": correlation_id,
        "Cache-Control": "no-store",
    }
    return {"statusCode": problem.type.status, "headers": headers, "body": body}
