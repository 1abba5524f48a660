"""A bucket's lifecycle rules, whose nested form differs most between Pulumi and AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.casing import camel, pascal
from tapgate.embedded.aws_provider.limits import given
from tapgate.embedded.aws_provider.operations import (
    Call,
    Operations,
    PropertyGroup,
    Wanted,
    at,
    from_id,
    identity,
    wanted_name,
)
from tapgate.embedded.aws_provider.resource_schema import Limit
from tapgate.embedded.aws_provider.types.description import Description

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapgate.embedded.aws_provider.values import Properties, Value


def _to_api(rules: Value) -> object:
    return (
        {"Rules": [_rule_to_api(rule) for rule in rules if isinstance(rule, dict)]}
        if isinstance(rules, list)
        else None
    )


def _rule_to_api(rule: dict[str, Value]) -> object:
    converted = cast("dict[str, object]", pascal(id="ID")(rule))
    joined = rule.get("filter")
    both = joined.get("and") if isinstance(joined, dict) else None
    if isinstance(both, dict):
        tags = both.get("tags")
        pairs = (
            [{"Key": key, "Value": value} for key, value in tags.items()] if isinstance(tags, dict) else []
        )
        converted["Filter"] = {
            "And": {**_plain({**both, "tags": None}), **({"Tags": pairs} if pairs else {})}
        }
    if "filter" not in rule and "prefix" not in rule:
        converted["Filter"] = {"Prefix": ""}
    return converted


def _plain(both: dict[str, Value]) -> dict[str, object]:
    return {name[:1].upper() + name[1:]: value for name, value in both.items() if value is not None}


def _from_api(rules: object) -> Value:
    found = camel(id="ID")(rules)
    return (
        [_rule_from_api(rule) for rule in found if isinstance(rule, dict)]
        if isinstance(found, list)
        else None
    )


def _rule_from_api(rule: dict[str, Value]) -> Value:
    joined = rule.get("filter")
    if not isinstance(joined, dict):
        return rule
    both = joined.get("and")
    shown: Properties = {name: value for name, value in joined.items() if value is not None}
    if isinstance(both, dict):
        shown["and"] = {**both, "tags": _tags_from_api(both.get("tags"))}
    return {**rule, "filter": shown or None}


def _tags_from_api(pairs: Value) -> Value:
    found = [pair for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    return {str(pair.get("key")): pair.get("value") for pair in found} or None


def _transition_once(inputs: Properties, _olds: Properties) -> Iterator[tuple[str, str]]:
    rules = inputs.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        transitions = rule.get("transitions") if isinstance(rule, dict) else None
        for inner, transition in enumerate(transitions if isinstance(transitions, list) else []):
            both = isinstance(transition, dict) and all(
                given(transition.get(name)) for name in ("date", "days")
            )
            if both:
                path = f"rules[{index}].transitions[{inner}]"
                yield path, f"`{path}` has both `date` and `days`. AWS takes one of them. Fix: take one out"


_DATE = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?"
LIFECYCLE: Final = Description(
    replaces=frozenset({"bucket", "expectedBucketOwner"}),
    defaults={"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    limits={
        "expectedBucketOwner": Limit(pattern=r"\d{12}"),
        "bucket": Limit(min_length=1, max_length=63),
        "rules.id": Limit(min_length=1, max_length=255),
        "rules.abortIncompleteMultipartUpload.daysAfterInitiation": Limit(minimum=1),
        "rules.expiration.date": Limit(pattern=_DATE),
        "rules.filter.and.objectSizeGreaterThan": Limit(minimum=0),
        "rules.filter.and.objectSizeLessThan": Limit(minimum=1),
        "rules.noncurrentVersionExpiration.noncurrentDays": Limit(minimum=1),
        "rules.noncurrentVersionTransitions.noncurrentDays": Limit(minimum=0),
        "rules.transitions.date": Limit(pattern=_DATE),
        "rules.transitions.days": Limit(minimum=0),
    },
    rules=(_transition_once,),
    sets=frozenset({"rules.noncurrentVersionTransitions", "rules.transitions"}),
    operations=Operations(
        service="s3",
        name=wanted_name("bucket"),
        read=Call("get_bucket_lifecycle_configuration", {"Bucket": identity}),
        found={"rules": at("Rules", _from_api)},
        property_groups=(
            PropertyGroup(
                ("rules",),
                Call(
                    "put_bucket_lifecycle_configuration",
                    {"Bucket": identity, "LifecycleConfiguration": Wanted("rules", _to_api)},
                ),
            ),
        ),
        delete=(Call("delete_bucket_lifecycle", {"Bucket": identity}),),
        missing=frozenset({"404", "NoSuchBucket", "NoSuchLifecycleConfiguration"}),
        from_id=from_id("bucket"),
        write_only=frozenset(
            {"bucket", "expectedBucketOwner", "transitionDefaultMinimumObjectSize", "skipDestroy"}
        ),
    ),
)
