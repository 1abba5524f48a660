"""The form of a type's description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tapgate.embedded.aws_provider.operations import Operations
    from tapgate.embedded.aws_provider.resource_schema import Limit
    from tapgate.embedded.aws_provider.values import Properties, Value

    Rule: TypeAlias = Callable[[Properties, Properties], Iterator[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Description:
    """What pulumi-aws knows of one type beyond its inputs and outputs.

    Names are top-level properties in Pulumi's casing unless said otherwise. Source of all of it: the
    type's schema in terraform-provider-aws 6 (ForceNew, Default, TypeSet, ValidateFunc) and pulumi-aws 7's
    overrides.

    Attributes:
        replaces: A change of one of these makes a new resource; `a.b` for the property `b` of the object `a`.
        defaults: What Check fills in when the program says nothing.
        absent: What AWS takes a property for that was not given, where that is more than nothing, zero or
            false.
        sets: Lists whose order means nothing; `a.b` for the list `b` in the object `a`, or in each object of
            the list `a`.
        documents: Properties that hold a JSON document, compared by meaning; `a.b` as with `sets`.
        limits: What values a property takes, where pulumi_aws's documentation and botocore's models do not
            say it or say it wrongly; paths as with `sets`.
        rules: What holds between properties: of the inputs and those of the last deployment, each gives the
            path and the reason of what AWS refuses.
        creations: Operations whose members are the properties, where their names follow neither from the
            type's nor from `operations`.
        members: The members that properties are, where that follows neither from their names nor from
            `operations`; paths as in `Metrics.Period`.
        replaced_first: The old one has to go before the replacement is created.
        computed: What AWS fills in inside an object when the program leaves it out; paths as with `sets`.
        operations: How the type is deployed on an emulator; None where it is only previewed.
        known: Whether anything is known of the type beyond its schema.
        changes_with: Outputs that get a new value when an input changes, by input; `*` is any input.
    """

    replaces: frozenset[str] = frozenset()
    defaults: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    absent: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    sets: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    limits: Mapping[str, Limit] = field(default_factory=dict[str, "Limit"])
    rules: tuple[Rule, ...] = ()
    creations: tuple[str, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict[str, str])
    replaced_first: bool = False
    computed: frozenset[str] = frozenset()
    operations: Operations | None = None
    changes_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    known: bool = True
