"""The ways into a Lambda function: its URL and its permissions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.casing import pascal
from tapgate.embedded.aws_provider.operations import (
    Answer,
    Call,
    Operations,
    PropertyGroup,
    Source,
    Subject,
    Wanted,
    alike,
    at,
    from_id,
    identity,
    own,
    told,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description
from tapgate.embedded.aws_provider.types.lambda_function import FUNCTION_NAME, GONE, OF, function_found, shown

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

_PERMISSION = {
    **alike(
        "action",
        "eventSourceToken",
        "functionUrlAuthType",
        "principal",
        "qualifier",
        "sourceAccount",
        "sourceArn",
        "statementId",
    ),
    "function": "FunctionName",
    "principalOrgId": "PrincipalOrgID",
}


def _url_id(answer: Answer, _subject: Subject) -> Value:
    return str(answer.get("FunctionUrl")).removeprefix("https://").removeprefix("http://").partition(".")[0]


def _statement(answer: Answer, subject: Subject) -> Answer | None:
    policy = cast("dict[str, object]", json.loads(str(answer.get("Policy"))))
    statements = cast("list[dict[str, object]]", policy.get("Statement") or [])
    return next((item for item in statements if item.get("Sid") == subject.id), None)


_STATEMENT = "[0-9A-Za-z_-]+"
_URL = {"authorizationType": "AuthType", "invokeMode": "InvokeMode"}
_URL_PARAMS: dict[str, Source] = {
    **OF,
    **{parameter: Wanted(name) for name, parameter in _URL.items()},
    "Cors": Wanted("cors", pascal()),
}
DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:lambda/functionUrl:FunctionUrl": Description(
        replaces=frozenset({"functionName", "qualifier"}),
        defaults={"invokeMode": "BUFFERED"},
        sets=frozenset({"cors.allowHeaders", "cors.allowMethods", "cors.allowOrigins", "cors.exposeHeaders"}),
        operations=Operations(
            service="lambda",
            create=Call("create_function_url_config", _URL_PARAMS),
            name=wanted_name("functionName", "qualifier"),
            read=Call("get_function_url_config", OF),
            found={
                **told("", "functionArn", "functionUrl"),
                "functionName": function_found,
                "urlId": _url_id,
            },
            property_groups=(
                PropertyGroup(
                    (*_URL, "cors"),
                    Call("update_function_url_config", _URL_PARAMS),
                    found={
                        **{name: at(parameter) for name, parameter in _URL.items()},
                        "cors": shown("Cors", convert=True),
                    },
                ),
            ),
            delete=(Call("delete_function_url_config", OF),),
            missing=GONE,
            already_exists_codes=frozenset({"ResourceConflictException"}),
            from_id=from_id("functionName", "qualifier"),
        ),
    ),
    "aws:lambda/permission:Permission": Description(
        replaces=frozenset({*_PERMISSION, "invokedViaFunctionUrl", "statementIdPrefix"}),
        limits={
            "function": Limit(max_length=140, pattern=FUNCTION_NAME),
            "statementId": Limit(max_length=100, pattern=_STATEMENT),
            "statementIdPrefix": Limit(max_length=100, pattern=_STATEMENT),
        },
        operations=Operations(
            service="lambda",
            create=Call(
                "add_permission", {parameter: Wanted(name) for name, parameter in _PERMISSION.items()}
            ),
            name=wanted_name("statementId"),
            read=Call(
                "get_policy",
                {"FunctionName": Wanted("function"), **own("qualifier")},
                pick=_statement,
            ),
            found={**told("", "action"), "statementId": at("Sid")},
            delete=(
                Call(
                    "remove_permission",
                    {
                        "FunctionName": Wanted("function"),
                        **own("qualifier"),
                        "StatementId": identity,
                    },
                ),
            ),
            missing=GONE,
            already_exists_codes=frozenset({"ResourceConflictException"}),
            from_id=lambda identifier: dict(
                zip(("function", "statementId"), identifier.split("/"), strict=False)
            ),
            import_id=lambda identifier: identifier.rpartition("/")[2],
        ),
    ),
}
