"""No secret stands where AWS shows it to everyone who may describe the resource, nor as a literal.

A value that the program marks as a secret is one, by the program's own word: Pulumi hides it in its state,
and then AWS shows it. Otherwise the value tells by what it looks like, a variable by what it is called, and
what is in a value (JSON, base64, a script) by the same.

Where the provider's schema says that a property is a secret (a database's password), AWS shows it to no one,
and secret configuration, or another resource's secret output, may stand there. SDKs mark whatever stands
there as secret, so that only the whole stack tells a literal: it was made from no resource.

A value that is not known yet comes from a resource, and is no literal of the program's. Where the name is a
secret's, that leaves it open. Elsewhere the rule says that it does not apply yet, and to what: it is asked
again when the value is known, and before the resource is created. Of a script or a URL that has something
unknown in it, what is known is read, and what is not leaves it open only where a secret would stand there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tap_guardrails.aws import FUNCTION, table
from tap_guardrails.aws.embedded import TEMPLATES, unechoed
from tap_guardrails.model import (
    Boolean,
    Enum,
    Invalid,
    Known,
    NotApplicable,
    Outcomes,
    PropertyRef,
    PropertyValue,
    Resource,
    ResourceRule,
    Settings,
    Stack,
    StringList,
    Unknown,
    refs_at,
)
from tap_guardrails.model.stack import SECRET_CONFIGURATION
from tap_guardrails.model.values import UNKNOWN_TEXT, Overlay, Partial, record

if TYPE_CHECKING:
    from tap_guardrails.aws.secret_texts import Sign
    from tap_guardrails.model import Value

SSM_PARAMETER: Final = "aws:ssm/parameter:Parameter"

MAP, LIST, TEXT, CONTAINERS = "map", "list", "text", "containers"
"""The forms of values: an object of names and values; objects with `name`, `value` and perhaps `type`; a
script; JSON with containers, each of which has such a list in `environment`."""

SHOWN: Final[Mapping[str, Mapping[str, str]]] = {
    **table("shown_values"),
    **{token: {"environment.variables": MAP} for token in FUNCTION.types},
    "aws:ecs/taskDefinition:TaskDefinition": {"containerDefinitions": CONTAINERS},
    "aws:batch/jobDefinition:JobDefinition": {"containerProperties": CONTAINERS},
}
"""By type, the paths of what AWS shows, each with its form."""

SECRET: Final[Mapping[str, list[str]]] = table("secret_properties")
"""By type, the properties that the provider's schema marks secret. SDKs mark every value of theirs."""

NAMED: Final[Mapping[str, list[str]]] = table("named_secrets")
"""By type, the paths of what is a secret by its name, and marked by no SDK."""

REFERENCE_TYPES: Final = frozenset({"PARAMETER_STORE", "SECRETS_MANAGER"})
"""Types of a CodeBuild variable whose value only says where the secret is."""


@record
class Shown:
    """A value that AWS shows.

    Attributes:
        marked_by_sdk: Whether a mark as secret is the SDK's, so that it says nothing of the program's view.
    """

    name: str
    ref: PropertyRef
    marked_by_sdk: bool = False


def marked_secret(resource: Resource, path: str) -> PropertyRef | None:
    """Return what the program marks as secret on the way to values that AWS shows, the outermost."""
    steps = path.split(".")
    if steps[0] in SECRET.get(resource.type, ()):
        return None
    prefixes = (refs_at(resource, steps[: depth + 1]) for depth in range(len(steps)))
    return next((ref for refs in prefixes for ref in refs if ref.secret), None)


def shown_values(resource: Resource, path: str, form: str) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the values at a path that AWS shows, and what keeps them from being read."""
    steps = path.split(".")
    if form == LIST:
        steps[-1] = steps[-1].removesuffix("[*]")
    marked = steps[0] in SECRET.get(resource.type, ())
    for ref in refs_at(resource, steps):
        if form == MAP:
            yield from in_object(ref, marked_by_sdk=marked)
        elif form == LIST:
            yield from in_list(ref)
        elif form == TEXT:
            yield Shown(steps[-1], ref)
        else:
            yield from in_containers(ref.document())


def unreadable_in(prop: PropertyValue[Any]) -> Iterator[Unknown | Invalid]:
    """Give what keeps values from being read, if anything does."""
    if isinstance(prop, (Unknown, Invalid)):
        yield prop


def in_object(ref: PropertyRef, *, marked_by_sdk: bool) -> Iterator[Shown | Unknown | Invalid]:
    """Go through an object of values by name."""
    fields = ref.entries()
    yield from (Shown(name, field, marked_by_sdk) for name, field in (fields.value or {}).items())
    yield from unreadable_in(fields)


def in_list(ref: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through a list of objects with `name` and `value`."""
    items = ref.items()
    for item in items.value or ():
        if item.at("type").text().value not in REFERENCE_TYPES:
            yield Shown(item.at("name").text().value or "", item.at("value"))
    yield from unreadable_in(items)


def in_containers(ref: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the environments of one container or of several."""
    if isinstance(ref.value, dict):
        yield from in_container(ref)
        return
    containers = ref.items()
    for container in containers.value or ():
        yield from in_container(container)
    yield from unreadable_in(containers)


def in_container(ref: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the environment of a container, its log driver's options and the words of its commands."""
    yield from in_list(ref.at("environment"))
    yield from in_object(ref.at("logConfiguration", "options"), marked_by_sdk=False)
    yield from in_command(ref.at("entryPoint"))
    yield from in_command(ref.at("command"))


def in_command(ref: PropertyRef) -> Iterator[Shown | Unknown | Invalid]:
    """Go through the words of a command; one behind an option is called like the option."""
    command, option = ref.items(), ""
    for word in command.value or ():
        yield Shown(option, word)
        text = word.text().value or ""
        option = text.lstrip("-") if text.startswith("-") else ""
    yield from unreadable_in(command)


def secret_values(resource: Resource) -> Iterator[Shown]:
    """Go through what is secret by the schema, besides what AWS shows of it by names, or by its own name.

    Of a parameter that is not encrypted, AWS shows the value; one that is need not be a secret.
    """
    if resource.type == SSM_PARAMETER:
        yield from parameter_values(resource, encrypted=True)
        return
    shown = {path.split(".")[0] for path in SHOWN.get(resource.type, ())}
    for name in SECRET.get(resource.type, ()):
        if name not in shown:
            prop = resource.at(name).items()
            yield from (Shown(name, ref) for ref in (prop.value if isinstance(prop, Known) else [prop.ref]))
    for path in NAMED.get(resource.type, ()):
        steps = path.split(".")
        name = " ".join(steps[-2:]) if steps[-1] == "value" else steps[-1]
        yield from (Shown(name, ref, marked_by_sdk=True) for ref in refs_at(resource, steps))


def parameter_values(resource: Resource, *, encrypted: bool) -> Iterator[Shown]:
    """Give what a parameter of SSM holds, if it is one and is encrypted, or is not."""
    if resource.type != SSM_PARAMETER or (resource.at("type").text().value == "SecureString") != encrypted:
        return
    called = resource.at("name").text().value or resource.name
    for name in ("value",) if encrypted else ("value", "insecureValue"):
        yield Shown(called, resource.at(name), marked_by_sdk=True)


DENY, ALLOW = "deny", "allow"

REFERENCE: Final = "the ARN or the name of a secret, which the code reads when it runs"
"""What has to stand there instead of a secret."""

KEPT: Final = (
    "a value that the program keeps as a secret: secret configuration, or another resource's secret output"
)
"""What has to stand in a property that is a secret."""

SHORTEST_SUBSTRING: Final = 6
"""Characters from which on a secret is looked for within a text."""


def check(resource: Resource, settings: Settings) -> Outcomes:
    """Check a resource by every value that AWS shows of it, and by every property that is a secret."""
    for path, form in SHOWN.get(resource.type, {}).items():
        marked = marked_secret(resource, path)
        if marked is None:
            kept = unechoed(resource) if resource.type in TEMPLATES else ()
            yield from each(shown_values(resource, path, form), settings, kept)
        elif settings.enum("pulumiSecrets") == DENY:
            yield marked.violation("Values that the program marks as secret stand in the clear.", REFERENCE)
    yield from each(parameter_values(resource, encrypted=False), settings)
    for value in secret_values(resource):
        if value.name not in settings.strings("allowedNames"):
            yield from no_literal(value, entropy=settings.boolean("entropy"))


def each(
    values: Iterable[Shown | Unknown | Invalid], settings: Settings, kept: Collection[str] = ()
) -> Outcomes:
    """Check each value that AWS shows, but for what it keeps by name; say what cannot be read."""
    allowed, denied = settings.strings("allowedNames"), settings.enum("pulumiSecrets") == DENY
    for value in values:
        if isinstance(value, Invalid):
            hidden = Invalid(redacted(value.ref), value.wanted)
            yield hidden.invalid("names and values, none of them a secret")
        elif isinstance(value, Unknown):
            yield value.undecided("names and values of which one can tell that none is a secret")
        elif value.name in allowed:
            continue
        elif not value.ref.secret or value.marked_by_sdk:
            yield from harmless(value, allowed, entropy=settings.boolean("entropy"))
        elif denied and value.name not in kept:
            yield value.ref.violation(
                "A value that the program marks as secret stands in the clear.", REFERENCE
            )


REFERRED, MADE_UP = "${unknown}", "Sparrow_77Kq"
"""What is put where a text is unknown: what is no secret for certain, and what is one by any name of one."""


def partly_known(value: Value) -> str:
    """Return a text of which some is unknown, unpacked if it is in base64; empty when it is none."""
    from tap_guardrails.aws.secret_texts import unpacked  # noqa: PLC0415 - as below

    if isinstance(value, Partial):
        return value.text
    packed = isinstance(value, str) and len(value) > len(UNKNOWN_TEXT) and unpacked(value)
    return packed if packed and UNKNOWN_TEXT in packed else ""


def harmless(value: Shown, allowed: Collection[str], *, entropy: bool) -> Outcomes:
    """Require that a value is no secret, by what it looks like, what it is called, and how random it is."""
    from tap_guardrails.aws.secret_signs import names_a_connection, names_a_secret  # noqa: PLC0415 - as below
    from tap_guardrails.aws.secret_texts import sign_of  # noqa: PLC0415 - its patterns take long to compile

    ref = redacted(value.ref)
    prop, secret, connection = ref.text(), names_a_secret(value.name), names_a_connection(value.name)
    partial = "" if secret else partly_known(ref.value)
    known = partial.replace(UNKNOWN_TEXT, REFERRED) if partial else prop.value
    sign = sign_of(value.name, known, entropy=entropy) if known else None
    if sign and sign.name not in allowed:
        yield ref.violation(f"In the clear stands {title(sign, value.ref)}.", REFERENCE)
    elif partial:
        possible = sign_of("", partial.replace(UNKNOWN_TEXT, MADE_UP), entropy=False)
        if possible and possible.name not in allowed:
            problem = f"Undecided before deployment: in the clear may stand {possible.title}."
            yield ref.undecided(REFERENCE, problem)
        elif connection and "://" not in partial.partition(UNKNOWN_TEXT)[0]:
            yield ref.undecided(REFERENCE)
    elif isinstance(prop, Invalid):
        yield prop.invalid("a text that is no secret")
    elif prop.unknown and (secret or connection):
        yield prop.undecided(REFERENCE)
    elif prop.unknown:
        yield NotApplicable(f"`{ref.path}` is evaluated once it is known, before the resource is created.")


def no_literal(value: Shown, *, entropy: bool) -> Outcomes:
    """Require that a property that is a secret has no literal, as far as its own value tells."""
    match value.ref.text():
        case Known(text) if not value.ref.secret:
            yield from literal(value, text, entropy=entropy)
        case Known():
            yield NotApplicable("What it was made from tells whether it is a literal, in the whole stack.")
        case Unknown() as prop:
            yield NotApplicable(f"`{prop.ref.path}` comes from another resource, so it is no literal.")
        case Invalid() as prop:
            yield Invalid(redacted(prop.ref), prop.wanted).invalid("a text")
        case _:
            pass


def literal(value: Shown, text: str, *, entropy: bool) -> Outcomes:
    """Say which secrets are in a literal: the whole, and what is in it by names."""
    from tap_guardrails.aws.secret_signs import is_about_a_secret, made_public, may_be_secret  # noqa: PLC0415 - as above
    from tap_guardrails.aws.secret_texts import sign_of, signs_in_json  # noqa: PLC0415

    ref = redacted(value.ref)
    sign = sign_of(value.name, text, entropy=entropy)
    public = is_about_a_secret(value.name) or made_public(text)
    itself = not value.marked_by_sdk and not public and may_be_secret(text, password=True)
    if itself or sign:
        what = "a secret, by the provider's schema" if itself else title(sign, value.ref)
        yield ref.violation(f"As a literal stands {what}.", KEPT)
    for inner in signs_in_json(text, entropy=entropy):
        within = replace(ref, path=f"{ref.path}.{inner.name}")
        yield within.violation(f"As a literal stands {inner.what}.", KEPT)


def in_stack(resource: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Require that a property that the SDK marks as secret, as it does with all, has no literal.

    What was made from another resource or by AWS, or is of the stack's secret configuration, is none.
    """
    if settings.enum("pulumiSecrets") != DENY:
        return
    given = resource.properties
    configured: frozenset[str] = stack.memoized(lambda _: frozenset[str](), SECRET_CONFIGURATION)
    for value in secret_values(resource):
        prop = value.ref.text()
        if (
            value.name not in settings.strings("allowedNames")
            and isinstance(prop, Known)
            and value.ref.secret
            and (not isinstance(given, Overlay) or given.is_asked(value.ref.top))
            and not resource.property_dependencies.get(value.ref.top)
            and prop.value not in configured
            and not any(secret in prop.value for secret in configured if len(secret) >= SHORTEST_SUBSTRING)
        ):
            yield from literal(value, prop.value, entropy=settings.boolean("entropy"))


def title(sign: Sign | None, ref: PropertyRef) -> str:
    """Name a secret in a message, without the names that are in a hidden text."""
    return "" if sign is None else sign.what if ref.hidden else sign.title


def redacted(ref: PropertyRef) -> PropertyRef:
    """Return a reference whose value no message shows."""
    return replace(ref, secret=True)


RULE = ResourceRule(
    name="no-plaintext-secrets",
    title="Secrets are not in the clear",
    description="Environment variables, user data and the like hold no passwords, keys or tokens, and no "
    "property that is a secret has a literal.",
    why="AWS shows them to everyone who may describe the resource, and they end up in logs and backups.",
    fix="Keep it in Secrets Manager or an SSM SecureString, give its name, and read it when the code runs; "
    "give a property that is a secret its value from secret configuration.",
    severity="critical",
    url="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
    types=tuple(dict.fromkeys((*FUNCTION.types, *SHOWN, *SECRET, *NAMED))),
    settings=(
        StringList(
            "allowedNames",
            (),
            "Names of variables and parameters whose values are no secrets, whatever they look like.",
        ),
        Boolean(
            "entropy",
            default=True,
            description="Also take for a secret what is as random as one.",
            stricter=True,
        ),
        Enum(
            "pulumiSecrets",
            DENY,
            "Values that the program marks as secret: `deny` them, for AWS shows them all the same, or "
            "`allow` them, trusting in the key that encrypts the resource's environment. In a property that "
            "is a secret, `deny` refuses those of neither secret configuration nor another resource.",
            (DENY, ALLOW),
        ),
    ),
    check=check,
    check_in_stack=in_stack,
)
