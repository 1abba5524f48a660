"""The form of a type's description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tapgate.embedded.aws_provider.operations import Operations
    from tapgate.embedded.aws_provider.values import Value


@dataclass(frozen=True, slots=True)
class Limit:
    """What values AWS takes for a property, beyond its type.

    Attributes:
        choices: The values that it takes; empty for any.
        minimum: The least number that it takes, None for no bound.
        maximum: The greatest.
    """

    choices: tuple[Value, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What pulumi-aws knows of one type beyond its inputs and outputs.

    Names are top-level properties in Pulumi's spelling unless said otherwise. Source of all of it: the
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
        limits: What values a property takes.
        replaced_first: The old one has to go before the replacement is created.
        computed: What AWS fills in inside an object when the program leaves it out; paths as with `sets`.
        operations: How the type is deployed on an emulator; None where it is only previewed.
        renewed: Outputs that get a new value when an input changes, by input; `*` stands for any of them.
    """

    replaces: frozenset[str] = frozenset()
    defaults: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    absent: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    sets: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    limits: Mapping[str, Limit] = field(default_factory=dict[str, Limit])
    replaced_first: bool = False
    computed: frozenset[str] = frozenset()
    operations: Operations | None = None
    renewed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
