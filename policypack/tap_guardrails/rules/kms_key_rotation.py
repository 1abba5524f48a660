"""Symmetric KMS keys rotate by themselves, within the configured number of days.

AWS rotates only symmetric encryption keys whose material it made itself.
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import KEY
from tap_guardrails.model import (
    Integer,
    NotApplicable,
    Outcomes,
    PropertyPatch,
    Resource,
    ResourceRule,
    Settings,
)

ROTATABLE: Final = {
    "customerMasterKeySpec": ("SYMMETRIC_DEFAULT", "AWS rotates symmetric keys only, and this one is"),
    "keyUsage": ("ENCRYPT_DECRYPT", "AWS rotates encryption keys only, and this one is for"),
    "origin": ("AWS_KMS", "AWS rotates key material of its own making only, and this is"),
}
"""By property, the value that lets AWS rotate a key, and what to say of another one."""

STORE_PROPERTIES: Final = ("customKeyStoreId", "xksKeyId")
DEFAULT_PERIOD_DAYS: Final = 365
SHORTEST_PERIOD_DAYS, LONGEST_PERIOD_DAYS = 90, 2560

WITHOUT_ROTATION: Final = {
    "aws:kms/externalKey:ExternalKey": "AWS does not rotate imported key material.",
    "aws:kms/replicaKey:ReplicaKey": "A replica rotates with its primary key, where rotation is set.",
    "aws:kms/replicaExternalKey:ReplicaExternalKey": "AWS does not rotate imported key material.",
    "aws-native:kms:ReplicaKey": "A replica rotates with its primary key, where rotation is set.",
}


def check(key: Resource, settings: Settings) -> Outcomes:
    """Check a key."""
    if key.type in WITHOUT_ROTATION:
        yield NotApplicable(WITHOUT_ROTATION[key.type])
        return
    rotation = KEY.at(key, "enableKeyRotation").boolean()
    obstacle = obstacle_to(key)
    if not obstacle:
        for name in (*ROTATABLE, *STORE_PROPERTIES):
            yield from KEY.at(key, name).text().unsettled("a text that tells whether AWS can rotate the key")
        yield from rotation.must(bool, problem="Key rotation is off.", required="true")
        yield from period_within(key, settings.integer("maximumRotationDays"))
    elif rotation.settled and not rotation.value:
        yield NotApplicable(obstacle)
    else:
        yield from rotation.must(
            lambda on: not on,
            problem=f"Rotation is enabled on a key type that does not support it. {obstacle}",
            required="no rotation on this key",
            fix="Take `enableKeyRotation` off, or use a symmetric key whose material AWS makes.",
        )


def obstacle_to(key: Resource) -> str:
    """Say why AWS cannot rotate a key; empty when no reason is known."""
    for name, (wanted, reason) in ROTATABLE.items():
        prop = KEY.at(key, name).text()
        if prop.value not in {None, wanted}:
            return f"{reason} {prop.ref.found()}."
    stored = any(KEY.at(key, name).text().value for name in STORE_PROPERTIES)
    return "AWS does not rotate keys in custom key stores." if stored else ""


def period_within(key: Resource, maximum: int) -> Outcomes:
    """Require that the time between rotations is legal and short enough."""
    period = KEY.at(key, "rotationPeriodInDays").integer()
    required = f"{SHORTEST_PERIOD_DAYS} to {maximum} days"
    if period.absent:
        if maximum < DEFAULT_PERIOD_DAYS:
            yield period.violation(
                f"The key rotates every {DEFAULT_PERIOD_DAYS} days, AWS's default.", required
            )
        return
    yield from period.must(
        lambda days: SHORTEST_PERIOD_DAYS <= days <= maximum,
        problem="The key rotates too seldom, or more often than AWS allows.",
        required=required,
    )


def remediate(key: Resource, settings: Settings) -> list[PropertyPatch]:
    """Turn rotation on, and bring the time between rotations within the bounds.

    A key that AWS cannot rotate does not pass with it on, so it is left as it is.
    """
    patches: list[PropertyPatch] = []
    rotation = KEY.at(key, "enableKeyRotation").boolean()
    if rotation.settled and not rotation.value:
        patches.append(PropertyPatch(("enableKeyRotation",), value=True))
    maximum = settings.integer("maximumRotationDays")
    period = KEY.at(key, "rotationPeriodInDays").integer()
    days = DEFAULT_PERIOD_DAYS if period.absent else period.value
    if days is not None and not SHORTEST_PERIOD_DAYS <= days <= maximum:
        nearest = min(max(days, SHORTEST_PERIOD_DAYS), maximum)
        patches.append(PropertyPatch(("rotationPeriodInDays",), nearest))
    return patches


RULE = ResourceRule(
    name="kms-key-rotation",
    title="KMS keys rotate",
    description="Symmetric customer managed KMS keys have automatic rotation on.",
    why="A key that never changes protects ever more data, all of it lost to whoever gets the key once.",
    fix="Set `enableKeyRotation: true` on the key, and `rotationPeriodInDays` if yearly is not often enough.",
    severity="high",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
    controls=("kms-4: FSBP KMS.4, CIS 3.6, NIST SC-12 SC-12(2) SC-28(3), PCI 3.7.4",),
    types=(*KEY.types, *WITHOUT_ROTATION),
    settings=(
        Integer(
            "maximumRotationDays",
            DEFAULT_PERIOD_DAYS,
            "The longest time between two rotations, in days.",
            minimum=SHORTEST_PERIOD_DAYS,
            maximum=LONGEST_PERIOD_DAYS,
            stricter="lower",
        ),
    ),
    check=check,
    remediation=(
        "Sets `enableKeyRotation` on keys that AWS can rotate, and moves a `rotationPeriodInDays` outside "
        "the bounds to the nearest bound."
    ),
    patches=remediate,
)
