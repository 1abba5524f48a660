"""Resources carry the tags that the organisation requires.

A tag that the provider puts on everything (`defaultTags`) counts; one without a value does not.
"""

from __future__ import annotations

from tap_guardrails.aws import TAGGABLE
from tap_guardrails.model import NotApplicable, Outcomes, Resource, ResourceRule, Settings, StringList


def check(resource: Resource, settings: Settings) -> Outcomes:
    """Check a resource that can have tags."""
    keys = settings.strings("keys")
    if not keys:
        yield NotApplicable("No tags are required.")
        return
    tags = resource.at("tags")
    named = tags.value
    if isinstance(named, dict) and all(isinstance(value := named.get(key), str) and value for key in keys):
        return
    sources = [tags, resource.at("tagsAll")]
    if resource.provider is not None:
        sources.append(resource.provider.at("defaultTags").document().at("tags"))
    props = [source.entries() for source in sources]
    values = {
        key: [prop.value[key].text() for prop in props if prop.value and key in prop.value] for key in keys
    }
    missing = [key for key, given in values.items() if not any(value.value is not None for value in given)]
    required = f"the tags {', '.join(f'`{key}`' for key in keys)}"
    if missing:
        open_ones = [
            prop for prop in (*props, *(value for key in missing for value in values[key])) if prop.unknown
        ]
        if open_ones:
            yield open_ones[0].undecided(required)
        elif not props[0].settled:
            yield from props[0].unsettled(required)
        else:
            listed = ", ".join(f"`{key}`" for key in missing)
            yield tags.violation(f"The resource lacks {listed} among its tags.", required)


RULE = ResourceRule(
    name="required-tags",
    title="Resources are tagged",
    description="Resources have the tags that are required of them.",
    why="Without tags it is unknown whose a resource is, what it is for, and who pays.",
    fix="Add the tags to the resource, or to the provider's `defaultTags`.",
    severity="low",
    url="https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
    types=TAGGABLE,
    level="advisory",
    coverage="tags",
    settings=(
        StringList(
            "keys",
            ("Environment", "Project"),
            "The keys of the tags that each resource must have, with their capitals; empty for none.",
            stricter="more",
        ),
    ),
    check=check,
)
