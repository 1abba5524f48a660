"""No secret stands where AWS shows it to everyone who may describe the resource.

A value that the program marks as a secret is one, by the program's own word: Pulumi hides it in its state,
and then AWS shows it. Otherwise the value tells by what it looks like, and a variable by what it is called.

A value that is not known yet comes from a resource, and is no literal of the program's. Where the name is a
secret's, that leaves it open. Elsewhere the rule says that it does not apply yet, and to what: it is asked
again when the value is known, and before the resource is created.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tap_guardrails.aws.plain_values import SSM_PARAMETER, TYPES, Shown, containers_of_values, shown_values
from tap_guardrails.aws.secret_signs import (
    looks_like,
    looks_random,
    may_be_secret,
    names_a_connection,
    names_a_secret,
)
from tap_guardrails.model import (
    Boolean,
    Enum,
    Invalid,
    Known,
    NotApplicable,
    Outcome,
    PropertyRef,
    Resource,
    ResourceRule,
    Settings,
    Severity,
    StringList,
    Unknown,
    invalid,
    undecided,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DENY, ALLOW = "deny", "allow"

REFERENCE: Final = "the ARN or the name of a secret, which the code reads when it runs"
"""What has to stand in a secret's place."""


def check(resource: Resource, settings: Settings) -> Iterator[Outcome]:
    """Judge a resource by every value that AWS shows of it."""
    denied = settings.enum("pulumiSecrets") == DENY
    marked = next((node for node in containers_of_values(resource) if node.secret), None)
    if marked is not None and denied:
        yield violation(marked, "Values that the program marks as secret stand in the clear.", REFERENCE)
        return
    allowed = settings.strings("allowedNames")
    for value in shown_values(resource):
        if not isinstance(value, Shown):
            yield from unreadable(value)
        elif value.name in allowed:
            continue
        elif not value.node.secret or resource.type == SSM_PARAMETER:
            yield from harmless(value, entropy=settings.boolean("entropy"))
        elif denied:
            yield violation(
                value.node, "A value that the program marks as secret stands in the clear.", REFERENCE
            )


def unreadable(reading: Unknown | Invalid) -> Iterator[Outcome]:
    """Say that nobody can tell which values there are."""
    if isinstance(reading, Unknown):
        yield undecided(reading, "names and values of which one can tell that none is a secret")
    else:
        yield invalid(
            Invalid(redacted(reading.node), reading.wanted), "names and values, none of them a secret"
        )


def harmless(value: Shown, *, entropy: bool) -> Iterator[Outcome]:
    """Require that a value is no secret, by what it looks like, what it is called, and how random it is."""
    node = redacted(value.node)
    match node.text():
        case Known(text):
            sign = (
                looks_like(text)
                or (names_a_secret(value.name) and may_be_secret(text) and "a secret, by its name")
                or (entropy and looks_random(text) and "a text as random as a secret")
            )
            if sign:
                yield violation(node, f"In the clear stands {sign}.", REFERENCE)
        case Unknown() as reading:
            if names_a_secret(value.name) or names_a_connection(value.name):
                yield undecided(reading, REFERENCE)
            else:
                yield NotApplicable(
                    f"`{node.path}` is judged once it is known, before the resource is created."
                )
        case Invalid() as reading:
            yield invalid(reading, "a text that is no secret")
        case _:
            pass


def redacted(node: PropertyRef) -> PropertyRef:
    """Return a place whose value no message shows."""
    return replace(node, secret=True)


RULE = ResourceRule(
    name="no-plaintext-secrets",
    title="Secrets are not in the clear",
    description="Environment variables and the like hold no passwords, keys or tokens.",
    why="AWS shows them to everyone who may describe the resource, and they end up in logs and backups.",
    fix="Keep it in Secrets Manager or an SSM SecureString, give its name, and read it when the code runs.",
    severity=Severity.CRITICAL,
    url="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
    types=TYPES,
    settings=(
        StringList(
            "allowedNames",
            (),
            "Names of variables and parameters whose values are no secrets, whatever they look like.",
        ),
        Boolean("entropy", default=True, description="Also take for a secret what is as random as one."),
        Enum(
            "pulumiSecrets",
            DENY,
            "Values that the program marks as secret: `deny` them, for AWS shows them all the same, or "
            "`allow` them, trusting in the key that encrypts the resource's environment.",
            (DENY, ALLOW),
        ),
    ),
    check=check,
)
