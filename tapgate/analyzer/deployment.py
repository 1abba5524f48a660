"""A stack's state, out of `pulumi stack export` or a file of a self-managed backend.

Formats: `UntypedDeployment`, `CheckpointV3` and `DeploymentV3` of
github.com/pulumi/pulumi/sdk/v3/go/common/apitype. A secret that is closed is a secret whose value
is unknown; of one that was opened by the engine a policy sees the value, and that it is secret. In a
rehearsal's state, what carries the stand-in's mark is unknown.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Final, cast

from tapgate.analyzer.leftovers import UNKNOWN, leftovers
from tapgate.events import EventLog
from tapgate.findings import CouldNotRunError
from tapgate.json_access import SIGNATURE, mapping, rebuilt, sequence, text, texts
from tapgate.sources import path_steps

SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a published marker
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_URN: Final = re.compile(r"urn:pulumi:(?P<stack>[^:]+)::(?P<project>[^:]+)::.+::.*", re.DOTALL)
_VERSIONS: Final = (3, 4)
_OF_A_STATE: Final = frozenset({"deployment", "checkpoint"})
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LEAST_LIMIT: Final = 32 * 1024 * 1024
_RATIO: Final = 40
"""How many times larger than its file a compressed state may be; real ones are ten to twenty times larger."""
_MOST_VALUES: Final = 10_000_000
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a state; `body` is everything that the file says of it."""

    urn: str
    type: str
    body: Mapping[str, object]

    @property
    def inputs(self) -> Mapping[str, object]:
        """What the program declared."""
        return mapping(self.body.get("inputs"))

    @property
    def outputs(self) -> Mapping[str, object]:
        """What the provider made of it."""
        return mapping(self.body.get("outputs"))


@dataclass(frozen=True, slots=True)
class Deployment:
    """The state of one stack.

    Attributes:
        project: name of the project, or empty when there is no resource to tell it.
        resources: the resources that are not being deleted.
        said: everything that the state says.
    """

    project: str
    stack: str
    resources: tuple[Resource, ...]
    said: Mapping[str, object] = field(default_factory=dict[str, object], repr=False, compare=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else the state says and whoever reads its verdict must know."""
        return leftovers(self.said)


class NoStateError(CouldNotRunError):
    """A document is whole, and has nothing of a state: it is something else."""


def read_deployment(body: bytes, where: str) -> Deployment:
    """Read a state.

    Raises:
        NoStateError: it is another JSON document.
        CouldNotRunError: it is damaged, or of a version that is not known.
    """
    document = _document(body, where)
    if document and document.get("version") not in _VERSIONS and not _OF_A_STATE & document.keys():
        raise NoStateError(
            "The file is not a state.",
            where=where,
            why="it is a JSON document without `deployment` and `checkpoint`.",
            fix="name the file of a state (`pulumi stack export --file FILE`).",
        )
    version = document.get("version")
    checkpoint = mapping(document.get("checkpoint"))
    deployment = document.get("deployment") if "deployment" in document else checkpoint.get("latest")
    if version not in _VERSIONS or not ("deployment" in document or "checkpoint" in document):
        raise _unreadable(where, "it is not a Pulumi state of version 3 or 4")
    if "deployment" in document and checkpoint:
        raise _unreadable(
            where, "it has a `deployment` and a `checkpoint`, of which a backend reads only one"
        )
    if deployment is None:
        return Deployment("", text(checkpoint.get("stack")).rsplit("/", 1)[-1], ())
    if not mapping(deployment):
        raise _unreadable(where, "its deployment is not an object")
    listed = mapping(deployment).get("resources")
    if not isinstance(listed, list | None):
        raise _unreadable(where, "its resources are no list")
    resources = [
        _resource(one, where)
        for one in map(mapping, sequence(cast("object", listed)))
        if one.get("delete") is not True
    ]
    owners = {(match["project"], match["stack"]) for one in resources if (match := _URN.fullmatch(one.urn))}
    if len(owners) > 1:
        raise _unreadable(where, "its resources belong to several stacks")
    project, stack = next(iter(owners), ("", text(checkpoint.get("stack")).rsplit("/", 1)[-1]))
    return Deployment(project, stack, tuple(resources), mapping(deployment))


def root_of(deployment: Deployment) -> str:
    """Return the URN of the stack itself, to which findings belong that name no resource of the state."""
    stack = "pulumi:pulumi:Stack"
    root = next((one.urn for one in deployment.resources if one.type == stack), None)
    project, name = deployment.project, deployment.stack
    return root or f"urn:pulumi:{name}::{project}::{stack}::{project}-{name}"


def begin(deployment: Deployment) -> EventLog:
    """Return the events of a run that ends well and has every resource of a state; no pack was asked yet."""
    log = EventLog(result="succeeded")
    stand_ins = {one.urn for one in deployment.resources if _UNSEEN in one.inputs}
    for one in deployment.resources:
        if one.body.get("external") is not True:
            log.declared[one.urn] = one.type
        else:
            # What a component that stands in would make is there to be referred to: no program looks it up.
            log.looked_up[one.urn] = "" if one.body.get("parent") in stand_ins else one.type
    return log


def _document(body: bytes, where: str) -> Mapping[str, object]:
    try:
        if body.startswith(_ZSTD):
            raise _unreadable(
                where, "it is compressed by zstd (PULUMI_DIY_BACKEND_ZSTD), which is not read here"
            )
        if body.startswith(_GZIP):
            body = _decompressed(body)
        if body.count(b",") > _MOST_VALUES:
            raise _unreadable(where, f"it has more than {_MOST_VALUES:,} values")
        loaded: object = json.loads(body, parse_int=_number, parse_float=_number, parse_constant=_number)
        return mapping(_without_lone_surrogates(loaded) if _SURROGATE.search(body) else loaded)
    except (ValueError, OSError, EOFError, zlib.error, RecursionError) as error:
        raise _unreadable(where, f"it is not JSON: {error}") from error


def _decompressed(body: bytes) -> bytes:
    """Decompress a state, as far as one can be that large: a few bytes may stand for a machine's memory."""
    most = max(_LEAST_LIMIT, _RATIO * len(body))
    stream = zlib.decompressobj(wbits=31)
    decompressed = stream.decompress(body, most)
    if stream.unconsumed_tail:
        message = f"decompressed, it would have more than {most:,} bytes"
        raise ValueError(message)
    if not stream.eof or stream.unused_data:
        message = "the compressed file ends too early, or something follows it"
        raise EOFError(message)
    return decompressed


def _number(digits: str) -> float:
    """Read a number as the engine does: as a double, which must be finite."""
    number = float(digits)
    if not isfinite(number):
        message = f"the number {digits[:40]} is out of range"
        raise ValueError(message)
    return number


def _without_lone_surrogates(value: object) -> object:
    """Return the value with each half of a surrogate pair that lacks the other replaced, as Go reads JSON."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    body = {str(_without_lone_surrogates(key)): one for key, one in mapping(value).items()}
    return rebuilt(body or value, _without_lone_surrogates)


def _resource(body: Mapping[str, object], where: str) -> Resource:
    urn, token = text(body.get("urn")), text(body.get("type"))
    if not _URN.fullmatch(urn) or not token:
        raise _unreadable(where, f"it has a resource without a proper URN or type: {urn[:200]!r}")
    return Resource(urn, token, body)


def _unreadable(where: str, problem: str) -> CouldNotRunError:
    return CouldNotRunError(
        "The state cannot be read.",
        where=where,
        why=problem,
        fix="export the stack again (`pulumi stack export`), or remove the file from the audit.",
    )


MARK: Final = "tapunknown"
MARKED_NUMBER: Final = 1_618_033_988
REHEARSED: Final = "__rehearsed"
_MARKED: Final = re.compile(rf"{MARK}\w*", re.IGNORECASE)
_SEVERAL: Final = re.compile(r"\s|://")
_MARK_IN_BASE64: Final = tuple(
    base64.b64encode(b"\0" * before + MARK.encode())[4:12].decode() for before in range(3)
)
"""What a mark has in it in base64, by how many bytes are before it in its group of three."""
_UNSEEN: Final = "tapgateUnseen"
_STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"


def without_marks(deployment: Deployment) -> Deployment:
    """Return a state in which every marked value is unknown.

    True and false cannot be marked: a resource lists its own that no one knows, and what another resource
    takes from them is found by the dependencies of its properties. So is what was made of the outputs of a
    stack of which no one knows any: a part of a mark is none.
    """
    vague = {
        one.urn
        for one in deployment.resources
        if any(isinstance(_at(one.outputs, path), bool) for path in texts(one.outputs.get(REHEARSED)))
    }
    silent = {one.urn for one in deployment.resources if _is_silent(one)}
    elsewhere = f"urn:pulumi:{deployment.stack}::{deployment.project}::tapgate:index:Elsewhere::elsewhere"
    return replace(
        deployment,
        resources=tuple(_without_marks(one, vague, silent, elsewhere) for one in deployment.resources),
    )


def _is_silent(one: Resource) -> bool:
    """Say whether a reference to another stack has nothing but marked outputs."""
    outputs = mapping(one.outputs.get("outputs"))
    return one.type == _STACK_REFERENCE and bool(outputs) and all(map(_is_marked, outputs.values()))


def _is_marked(value: object) -> bool:
    """Say whether anything in a value is marked."""
    return _known(value) != value


def _without_marks(one: Resource, vague: set[str], silent: set[str], elsewhere: str) -> Resource:
    dependencies = mapping(one.body.get("propertyDependencies"))
    vague_names = {name for name, urns in dependencies.items() if not vague.isdisjoint(texts(urns))}
    made = {
        name: UNKNOWN
        for name, urns in dependencies.items()
        if not silent.isdisjoint(texts(urns)) and not _is_marked(one.inputs.get(name))
    }
    outputs = dict(mapping(_known(one.outputs)))
    for path in texts(one.outputs.get(REHEARSED)):
        _forget(outputs, path)
    outputs.pop(REHEARSED, None)
    # To a pack, what is unknown and made from no resource is what the program left out.
    asked = {
        name: [elsewhere]
        for name, value in one.inputs.items()
        if not dependencies.get(name) and _is_marked(value)
    }
    body = {
        **one.body,
        "propertyDependencies": {**dependencies, **asked},
        "inputs": _without_choices(mapping(_known(one.inputs)), vague_names) | made,
        "outputs": _without_choices(outputs, vague_names) | made,
    }
    return replace(one, body=body)


def _without_choices(properties: Mapping[str, object], vague_names: set[str]) -> dict[str, object]:
    return {
        name: UNKNOWN if name in vague_names and isinstance(value, bool) else value
        for name, value in properties.items()
    }


def _known(value: object) -> object:
    """Return a value with each marked one in it unknown."""
    if isinstance(value, str):
        if MARK in value.lower():
            return _known_text(value)
        return _packed(value) if any(mark in value for mark in _MARK_IN_BASE64) else value
    body = mapping(value)
    if body.get(SIGNATURE) == SECRET and "plaintext" in body:
        return {SIGNATURE: SECRET, "value": _known(cast("object", json.loads(text(body["plaintext"]))))}
    if SIGNATURE not in body and any(MARK in key.lower() for key in body):
        return UNKNOWN
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return UNKNOWN if is_number and value == MARKED_NUMBER else rebuilt(value, _known)


def _known_text(marked: str) -> str:
    """Return a marked text as unknown; of a JSON document only what is marked in it."""
    try:
        document: object = json.loads(marked)
    except (ValueError, RecursionError):
        # Of a script and of a URL only what is marked in it is unknown.
        several = marked.lstrip()[:1] not in {"{", "["} and _SEVERAL.search(marked)
        return _MARKED.sub(UNKNOWN, marked) if several else UNKNOWN
    is_document = isinstance(document, dict | list)
    return json.dumps(_known(cast("object", document))) if is_document else UNKNOWN


def _packed(value: str) -> str:
    """Return a text in base64 with what is marked in it unknown; any other text as it is."""
    try:
        script = base64.b64decode("".join(value.split()), validate=True).decode()
    except ValueError:
        return value
    return base64.b64encode(_MARKED.sub(UNKNOWN, script).encode()).decode()


def _at(value: object, path: str) -> object:
    for step in path_steps(path):
        if isinstance(step, int):
            items = sequence(value)
            value = items[step] if step < len(items) else None
        else:
            value = mapping(value).get(step)
    return value


def _forget(outputs: dict[str, object], path: str) -> None:
    """Make what is at a path unknown."""
    *parents, last = path_steps(path)
    value: object = outputs
    for step in parents:
        value = _at(value, f"[{step}]" if isinstance(step, int) else step)
    if isinstance(value, dict) and isinstance(last, str):
        cast("dict[str, object]", value)[last] = UNKNOWN
    elif isinstance(value, list) and isinstance(last, int):
        cast("list[object]", value)[last] = UNKNOWN
