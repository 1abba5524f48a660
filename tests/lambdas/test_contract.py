"""The OpenAPI document against the API: whatever is sent, the answers are those that the document names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.checks import (
    positive_data_acceptance,  # pyright: ignore[reportUnknownVariableType]
)

import api_document
from api_handler.app import METHODS
from api_handler.problem import PROBLEM_TYPES, TYPE_PREFIX
from tap_items.item import ITEM_SCHEMA
from tests.lambdas.calls import call_api, deliver, http_event, post
from tests.lambdas.faults import THROTTLED, failing_on
from tests.lambdas.wsgi import application

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lambdas.stand import Stand

DOCUMENT: dict[str, Any] = json.loads(api_document.DOCUMENT.read_text("utf-8"))
GUIDE = api_document.DOCUMENT.with_name("api.md")

# Who may call is IAM's business: the function URL turns all others away before the handler runs.
schema: Any = schemathesis.openapi.from_dict({**DOCUMENT, "security": []})
schema.app = application


@pytest.mark.emulator
@pytest.mark.uncounted
@pytest.mark.usefixtures("stand")
@schema.parametrize()
@settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_answer_is_one_that_the_document_names(case: Any) -> None:  # noqa: ANN401 - not typed
    response = case.call()
    reused = response.status_code == 422 and response.json()["type"].endswith(":idempotency-key-reused")
    # The examples share one stack, and Hypothesis likes the key "0" for more than one item.
    case.validate_response(response, excluded_checks=[positive_data_acceptance] if reused else [])
    assert response.status_code < 500


def test_the_document_is_what_the_code_says() -> None:
    assert api_document.main(["--check"]) == 0


def test_a_document_that_the_code_contradicts_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api_document, "DOCUMENT", tmp_path / "openapi.json")
    assert api_document.main(["--check"]) == 1
    assert api_document.main([]) == 0
    assert api_document.main(["--check"]) == 0
    (tmp_path / "openapi.json").write_text("{}")
    assert api_document.main(["--check"]) == 1
    assert capsys.readouterr().err.count("python lambdas/api_document.py") == 2


def test_the_document_has_the_routes_of_the_code() -> None:
    documented = {
        path.replace("{id}", "<item_id>"): {method.upper() for method in operations}
        for path, operations in DOCUMENT["paths"].items()
    }
    assert documented == {path: set(methods.split(", ")) for path, methods in METHODS.items()}


def test_schemas_are_schemas() -> None:
    for each in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(each)
    assert DOCUMENT["components"]["schemas"]["NewItem"] == ITEM_SCHEMA


def examples_in(text: str) -> list[tuple[str, str, str, int]]:
    """The guide's examples: method, path, body, and the status that is promised."""
    pattern = re.compile(r"```http\n(\w+) (\S+)[^\n]*\n(.*?)```\s+answers `(\d{3})`", re.DOTALL)
    found = [
        (method, path, rest.partition("\n\n")[2], int(status))
        for method, path, rest, status in pattern.findall(text)
    ]
    assert len(found) == text.count("```http\n")
    return found


@pytest.mark.emulator
def test_the_guides_examples_answer_as_promised(stand: Stand) -> None:
    examples = examples_in(GUIDE.read_text("utf-8"))
    assert len(examples) >= 8
    item_id = ""
    for method, path, body, status in examples:
        target, _, query = path.replace("<id>", item_id).partition("?")
        parameters = dict(part.split("=", 1) for part in query.split("&") if part)
        headers = {"content-type": "application/json"} if body else {}
        reply = call_api(http_event(method, target, body=body or None, headers=headers, query=parameters))
        assert (method, path, reply.status) == (method, path, status)
        item_id = reply.body.get("id", item_id)
        if status == 202:
            deliver(stand)


def test_the_guide_names_every_kind_of_problem_with_its_status() -> None:
    rows = re.findall(r"^\| `(urn:tap:problem:\S+)` \| (\d{3}) \|", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(TYPE_PREFIX + kind.name, str(kind.status)) for kind in PROBLEM_TYPES]


@pytest.mark.emulator
def test_every_kind_of_record_is_as_documented(stand: Stand) -> None:
    call_api(post(api_document.ITEM_EXAMPLE))
    deliver(stand)
    call_api(post({"type": "broken", "payload": {}}))
    with failing_on(THROTTLED, "GetObject"):
        deliver(stand)
    stand.sqs.send_message(QueueUrl=stand.queue_url, MessageBody="foreign")
    deliver(stand)
    page = call_api(http_event("GET", "/items")).body
    schemas = {"components": DOCUMENT["components"], "$ref": "#/components/schemas/Page"}
    validator: Any = Draft202012Validator(schemas)
    assert list(validator.iter_errors(page)) == []
    assert sorted(item["status"] for item in page["items"]) == ["accepted", "processed", "rejected"]
