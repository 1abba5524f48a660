"""Lambda@Edge: functions that CloudFront runs in the regions of its viewers.

They cannot be traced, have no dead letter queue and no variables, and are in us-east-1; each region that runs
one has a log group of its own.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.invocation import function_name
from tap_guardrails.aws.lists import refs_at
from tap_guardrails.aws.location import own_region, provider_region
from tap_guardrails.aws.resource_types import FUNCTION
from tap_guardrails.model import Known, Resource, Stack, Unknown
from tap_guardrails.model.values import record

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME: Final = "us-east-1"
"""The only region in which such a function can be declared."""

LOG_PREFIX: Final = f"/aws/lambda/{HOME}."
"""What Lambda puts before such a function's name, in each region that runs it.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-logs.html
"""

ASSOCIATION: Final = "lambdaFunctionAssociations[*]"
ASSOCIATIONS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "aws:cloudfront/distribution:Distribution": (
        ("defaultCacheBehavior", ASSOCIATION, "lambdaArn"),
        ("orderedCacheBehaviors[*]", ASSOCIATION, "lambdaArn"),
    ),
    "aws-native:cloudfront:Distribution": (
        ("distributionConfig", "defaultCacheBehavior", ASSOCIATION, "lambdaFunctionArn"),
        ("distributionConfig", "cacheBehaviors[*]", ASSOCIATION, "lambdaFunctionArn"),
    ),
}
"""By type of distribution, where it names the functions that it runs."""


@record
class EdgeFunctions:
    """The functions that CloudFront runs, by URN.

    Attributes:
        certain: Those that a distribution of the stack names.
        possible: Those that one may name.
        anything: Whether one names a function of which nothing is known.
    """

    certain: frozenset[str]
    possible: frozenset[str]
    anything: bool


def edge_functions(stack: Stack) -> EdgeFunctions:
    """Find the functions of Lambda@Edge of a stack, once."""
    return stack.memoized(find_edge_functions)


def find_edge_functions(stack: Stack) -> EdgeFunctions:
    """Go through all distributions."""
    certain: set[str] = set()
    possible: set[str] = set()
    anything = False
    for token, paths in ASSOCIATIONS.items():
        for distribution in stack.of(token):
            for ref in (ref for path in paths for ref in refs_at(distribution, path)):
                found = stack.resolve_reference(distribution, ref, FUNCTION, function_name)
                for one in found.certain:
                    (possible if own_region(one) is None else certain).add(one.urn)
                possible.update(one.urn for one in found.possible)
                anything = anything or found.anything
    abroad = {one.urn for one in stack.of(*FUNCTION.types) if region_of(one) not in ("", HOME)}
    return EdgeFunctions(frozenset(certain - abroad), frozenset(possible - abroad), anything)


def is_edge(function: Resource, stack: Stack) -> bool | None:
    """Tell whether CloudFront runs a function; None while that is undecided."""
    found = edge_functions(stack)
    if function.urn in found.certain:
        return True
    return None if may_be_edge(function) and (found.anything or function.urn in found.possible) else False


def may_be_edge(function: Resource) -> bool:
    """Tell whether a function, by itself, may be one that CloudFront runs: a version, without variables."""
    published, region = FUNCTION.at(function, "publish").boolean(), region_of(function)
    variables = FUNCTION.at(function, "environment", "variables").entries()
    if isinstance(variables, Known) and variables.value:
        return False
    # Through Cloud Control, a version is a resource of its own.
    if function.type.startswith("aws-native:"):
        return region == HOME
    version = published.value if isinstance(published, Known) else isinstance(published, Unknown)
    return version and region in ("", HOME)


def region_of(resource: Resource) -> str:
    """Return a resource's region, empty while it is not known."""
    own = own_region(resource)
    return "" if own is None else own or provider_region(resource)
