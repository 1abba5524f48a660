"""A bucket's lifecycle rules, whose nested form differs most between Pulumi and AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tapgate.embedded.aws_provider.operations import (
    Call,
    Facet,
    Operations,
    Wanted,
    at,
    from_id,
    identity,
    wanted_name,
)
from tapgate.embedded.aws_provider.spelling import camel, pascal
from tapgate.embedded.aws_provider.types.description import Description, Limit

if TYPE_CHECKING:
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


LIFECYCLE: Final = Description(
    replaces=frozenset({"bucket", "expectedBucketOwner"}),
    defaults={"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    limits={"rules.status": Limit(choices=("Enabled", "Disabled"))},
    sets=frozenset({"rules.noncurrentVersionTransitions", "rules.transitions"}),
    operations=Operations(
        service="s3",
        name=wanted_name("bucket"),
        read=Call("get_bucket_lifecycle_configuration", {"Bucket": identity}),
        found={"rules": at("Rules", _from_api)},
        facets=(
            Facet(
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
        unread=frozenset(
            {"bucket", "expectedBucketOwner", "transitionDefaultMinimumObjectSize", "skipDestroy"}
        ),
    ),
)
