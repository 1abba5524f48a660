"""Pulumi's ResourceProvider protocol, each request turned into a call of the module that answers it."""

# ruff: noqa: ARG002 - the arguments are the protocol's

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

from google.protobuf import empty_pb2, message_factory
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from tapgate.embedded.answers import ANSWERED, MISSED, Answers, asked, given
from tapgate.embedded.aws_provider import differ, sdk_source, settings
from tapgate.embedded.aws_provider.differ import refresh_inputs
from tapgate.embedded.aws_provider.failures import (
    InvalidRequestError,
    PartlyCreatedError,
    error_mapping,
    unknown_type,
)
from tapgate.embedded.aws_provider.inputs import Mode, Request, check_inputs
from tapgate.embedded.aws_provider.invokes import InvokeError, invoke, is_answered
from tapgate.embedded.aws_provider.marks import MARK, REHEARSED, is_tried, snake
from tapgate.embedded.aws_provider.outputs import previewed, previewed_update, rehearsed, rehearsed_read
from tapgate.embedded.aws_provider.schema_store import schema_of
from tapgate.embedded.aws_provider.server import EngineLog, stack_of, type_and_name
from tapgate.embedded.aws_provider.settings import RefusedEndpointError, require_emulator
from tapgate.embedded.aws_provider.usage import short
from tapgate.embedded.aws_provider.values import (
    Properties,
    Secrets,
    Value,
    contains_unknown,
    decode,
    dump_json,
    encode,
)
from tapgate.embedded.environment import ACCOUNT, EXISTING

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf import struct_pb2
    from google.protobuf.message import Message

    from tapgate.embedded.aws_provider.deploy.aws import Api
    from tapgate.embedded.aws_provider.deploy.fence import Fence
    from tapgate.embedded.aws_provider.deploy.lifecycle import Lifecycle


_MODES: dict[int, Mode] = {0: "propose", 1: "enforce", 2: "disable"}
_NO_ENDPOINT = (
    "The stand-in AWS provider has no emulator to {verb} {token} on: it never reaches AWS itself. "
    "Fix: run it inside `python -m tapgate.embedded.emulator run -- …`, or deploy with the real provider "
    "(--aws real)"
)


class Provider:
    """The provider's side of the protocol.

    Args:
        engine_address: Where the engine listens.
        fence: What the process may still do.
        rehearsing: Say what would be created, in an `up` too, and create nothing.
        program: The YAML program, where it asks for another major version of the provider.
    """

    def __init__(
        self, engine_address: str, fence: Fence, *, rehearsing: bool = False, program: Path | None = None
    ) -> None:
        self._log = EngineLog(engine_address)
        self._fence = fence
        self._rehearsing = rehearsing
        self._settings = settings.Settings()
        self._api: Api | None = None
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._program = program
        self._other_major = False

    def methods(self) -> dict[str, tuple[object, type[Message]]]:
        """Return what serves each method of the protocol, and the form of its request."""
        return {
            method.name: (error_mapping(served), message_factory.GetMessageClass(method.input_type))
            for method in pb.DESCRIPTOR.services_by_name["ResourceProvider"].methods
            if (served := getattr(self, snake(method.name), None)) is not None
        }

    def handshake(self, request: pb.ProviderHandshakeRequest) -> pb.ProviderHandshakeResponse:
        """Return what the provider understands."""
        if request.engine_address:
            self._log = EngineLog(request.engine_address)
        return pb.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def get_schema(self, request: pb.GetSchemaRequest) -> pb.GetSchemaResponse:
        """Return the package's schema, by which YAML programs are typed."""
        if request.subpackage_name:
            raise _no_parameters(request.subpackage_name)
        if request.version:
            raise InvalidRequestError(
                f"the stand-in AWS provider writes schemas in format 0, not {request.version}"
            )
        from tapgate.embedded.aws_provider.package_schema import schema_text  # noqa: PLC0415 - YAML programs alone ask

        text = schema_text()
        if self._program is not None:
            from tapgate.embedded.aws_provider.usage import widened  # noqa: PLC0415 - as above

            text = widened(text, self._program)
        return pb.GetSchemaResponse(schema=text)

    def parameterize(self, request: pb.ParameterizeRequest) -> pb.ParameterizeResponse:
        """Refuse: the AWS provider is one package, the same for everybody."""
        raise _no_parameters(request.value.name or " ".join(request.args.args))

    def check_config(self, request: pb.CheckRequest) -> pb.CheckResponse:
        """Check the provider's own configuration."""
        news, _ = decode(request.news)
        response = pb.CheckResponse(inputs=request.news)
        for failure in settings.check_config(news):
            response.failures.add(property=failure.property, reason=failure.reason)
        return response

    def diff_config(self, request: pb.DiffRequest) -> pb.DiffResponse:
        """Compare two configurations; none takes a new provider."""
        same = decode(request.old_inputs)[0] == decode(request.news)[0]
        return pb.DiffResponse(changes=pb.DiffResponse.DIFF_NONE if same else pb.DiffResponse.DIFF_SOME)

    def configure(self, request: pb.ConfigureRequest) -> pb.ConfigureResponse:
        """Take the configuration, and tell the user what provider this is."""
        args, _ = decode(request.args)
        self._settings = settings.read(args)
        for endpoint in (self._settings.endpoint, *self._settings.endpoints.values()):
            if endpoint:
                require_emulator(endpoint)
        if self._rehearsing:
            self._settings = replace(self._settings, endpoint="", endpoints={})
        emulator = f"on the emulator at {self._settings.endpoint}" if self._settings.endpoint else ""
        where = emulator or ("for rehearsals" if self._rehearsing else "for previews")
        self._log.warn_once(
            f"stand-in AWS provider {where}: nothing here reaches AWS "
            f"(account {ACCOUNT}, region {self._settings.region})"
        )
        if sdk_source.chosen():
            self._log.warn_once(
                f"the program uses pulumi_aws {sdk_source.package_version()}, and is evaluated by its types"
            )
        asked = str(args.get("version") or "")
        if settings.major(asked) not in {"", settings.major(sdk_source.package_version())}:
            self._other_major = True
            self._log.warn_once(
                f"the program asks for version {asked} of the AWS provider; the stand-in knows the types of "
                f"{sdk_source.package_version()}, and what differs between them is evaluated by the latter; "
                "properties that it does not have are taken as they are"
            )
        return pb.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def check(self, request: pb.CheckRequest) -> pb.CheckResponse:
        """Check a resource's inputs and fill in what pulumi-aws fills in."""
        token, name = type_and_name(request.urn)
        news, secrets = decode(request.news)
        olds, _ = decode(request.olds)
        autonaming = request.autonaming if request.HasField("autonaming") else None
        try:
            of_other_major = self._of_other_major(token, news)
            asked = Request(
                token=token,
                name=name,
                news={name: one for name, one in news.items() if name not in of_other_major},
                olds=olds,
                seed=request.randomSeed,
                mode=_MODES[autonaming.mode] if autonaming is not None else "random",
                proposed=autonaming.proposed_name if autonaming is not None else "",
                secrets=frozenset(secrets),
            )
            inputs, failures = check_inputs(asked, self._settings)
        except sdk_source.UnknownTypeError:
            raise unknown_type(token) from None
        inputs.update(of_other_major)
        response = pb.CheckResponse(inputs=encode(inputs, _with_computed(secrets)))
        for failure in failures:
            response.failures.add(property=failure.property, reason=failure.reason)
        return response

    def diff(self, request: pb.DiffRequest) -> pb.DiffResponse:
        """Compare a resource with what the program now wants."""
        token, _ = type_and_name(request.urn)
        state, _ = decode(request.olds)
        if REHEARSED in state:
            # No one has looked at what the program imports: it becomes what the program says.
            return pb.DiffResponse(changes=pb.DiffResponse.DIFF_SOME)
        old_inputs, _ = decode(request.old_inputs)
        news, _ = decode(request.news)
        self._known.add(request.id)
        changed = differ.compare(token, {**old_inputs, **state}, news)
        differences = [item for item in changed if item.path not in request.ignoreChanges]
        replaces = sorted({item.property for item in differences if item.replaces})
        response = pb.DiffResponse(
            changes=pb.DiffResponse.DIFF_SOME if differences else pb.DiffResponse.DIFF_NONE,
            replaces=replaces,
            diffs=sorted({item.property for item in differences}),
            deleteBeforeReplace=bool(replaces) and differ.replaced_first(token, news),
            hasDetailedDiff=True,
        )
        for item in differences:
            kind = item.change.upper() + ("_REPLACE" if item.replaces else "")
            response.detailedDiff[item.path].kind = pb.PropertyDiff.Kind.Value(kind)
        return response

    def create(self, request: pb.CreateRequest) -> pb.CreateResponse:
        """Create a resource, or say in a preview what it will be."""
        token, _ = type_and_name(request.urn)
        inputs, secrets = decode(request.properties)
        marks = _with_computed(secrets)
        if request.preview:
            identifier, outputs = "", previewed(token, inputs)
        elif self._rehearsing:
            identifier, outputs = rehearsed(token, request.urn, inputs, self._settings)
        else:
            changer = self._changer("create", request.urn)
            try:
                identifier, outputs = changer.create(request.urn, inputs, self._known)
            except PartlyCreatedError as error:
                error.secrets = marks
                raise
        return pb.CreateResponse(id=identifier, properties=encode(outputs, marks))

    def update(self, request: pb.UpdateRequest) -> pb.UpdateResponse:
        """Update a resource, or say in a preview what it will be."""
        token, _ = type_and_name(request.urn)
        state, old_secrets = decode(request.olds)
        inputs, secrets = decode(request.news)
        kept = {name: mark for name, mark in old_secrets.items() if name not in inputs}
        marks: Secrets = {**kept, **_with_computed(secrets)}
        if request.preview:
            imported = REHEARSED in state
            outputs = previewed(token, inputs) if imported else previewed_update(token, state, inputs)
        elif self._rehearsing:
            answered, _ = self._answers.resource(token, request.id)
            outputs = rehearsed_read(token, request.urn, request.id, self._settings, answered, inputs)
        else:
            outputs = self._changer("update", request.urn).update(request.id, request.urn, inputs)
        return pb.UpdateResponse(properties=encode(outputs, marks))

    def read(self, request: pb.ReadRequest) -> pb.ReadResponse:
        """Read a resource as it is; an answer without an id says that it does not exist."""
        token, _ = type_and_name(request.urn)
        self._known.add(request.id)
        state, secrets = decode(request.properties)
        old_inputs, input_secrets = decode(request.inputs)
        if self._rehearsing or not self._has_emulator:
            # A refresh hands over what is known; `get` what the program says of it, as inputs, too.
            refreshed = state != old_inputs
            known = state if refreshed else self._stood_in(token, request.urn, request.id, state)
            return pb.ReadResponse(id=request.id, properties=encode(known, secrets), inputs=request.inputs)
        deployer = self._deployer("read", token)
        outputs = deployer.read(request.id, state)
        if outputs is None:
            return pb.ReadResponse()
        identifier = request.id if state else deployer.operations.of_import(request.id)[0]
        inputs = refresh_inputs(token, old_inputs, outputs)
        return pb.ReadResponse(
            id=identifier, properties=encode(outputs, secrets), inputs=encode(inputs, input_secrets)
        )

    def delete(self, request: pb.DeleteRequest) -> empty_pb2.Empty:
        """Delete a resource."""
        if self._rehearsing:
            return empty_pb2.Empty()
        state, _ = decode(request.properties)
        old_inputs, _ = decode(request.old_inputs)
        self._changer("delete", request.urn).delete(request.id, {**old_inputs, **state})
        return empty_pb2.Empty()

    def invoke(self, request: pb.InvokeRequest) -> pb.InvokeResponse:
        """Answer a function."""
        args, secrets = decode(request.args)
        region = str(args.get("region") or self._settings.region)
        answered, entry = self._answers.function(request.tok, args, region)
        if not secrets and not is_answered(request.tok) and not contains_unknown(args):
            self._log.note_once(asked("function", request.tok, arguments=args, region=region))
        if not entry and not is_answered(request.tok):
            self._try(request.tok, args)
            self._log.warn_once(
                f"no one asks AWS here: the results of {request.tok} are stand-ins, and what depends on them "
                "is undecided. Fix: give them by --answers FILE (`tapgate answers` makes it)"
            )
        result = self._answer(request.tok, args, answered)
        self._take(entry)
        response = pb.InvokeResponse()
        set_result(response, result, secret=bool(secrets))
        return response

    def _try(self, token: str, args: Properties) -> None:
        """Find nothing, in a rehearsal, where the program then goes on: it creates what is not there.

        The preview has it there, so that what the program does in either case is evaluated.
        """
        if not is_tried(short(token)[2]):
            return
        self._log.warn_once(
            f"the program goes on where {token} finds nothing: what it makes then is evaluated as well as "
            "what it makes of a result. Fix: give the result by --answers FILE where it is there"
        )
        question = f"{token} {dump_json(args)}" if self._rehearsing else ""
        if question and question not in json.loads(os.environ.get(EXISTING, "[]")):
            self._log.note_once(f"{MISSED}{question}")
            msg = (
                f"reading {token}: couldn't find resource: no matching resource found, not found: {question}"
            )
            raise InvokeError(msg)

    def _answer(self, token: str, args: Properties, answered: Mapping[str, Value]) -> Properties:
        """Answer a function by what is known, or as an older version of the provider knew it."""
        if not is_answered(token) and not sdk_source.is_function(token):
            from tapgate.embedded.aws_provider.catalog import as_read, older_function  # noqa: PLC0415 - few need it

            older = older_function(token)
            if older is not None:
                self._log.warn_once(
                    f"version {older.major} of the AWS provider is the last that has {token}: "
                    "the program runs with that, and is evaluated by the types of a later one"
                )
            if older is not None or self._program is not None:
                return {**as_read(self._program, token, args), **answered}
        return invoke(token, args, self._settings, answered)

    def construct(self, request: pb.ConstructRequest) -> pb.ConstructResponse:
        """Refuse: the AWS provider has no components."""
        raise unknown_type(request.type)

    def call(self, request: pb.CallRequest) -> pb.CallResponse:
        """Refuse: the AWS provider has no component whose methods could be called."""
        raise unknown_type(request.tok)

    def get_plugin_info(self, request: empty_pb2.Empty) -> plugin_pb2.PluginInfo:
        """Return the version: that of the pulumi_aws whose types are served."""
        return plugin_pb2.PluginInfo(version=sdk_source.package_version())

    def attach(self, request: plugin_pb2.PluginAttach) -> empty_pb2.Empty:
        """Take an engine's address after the start, as `PULUMI_DEBUG_PROVIDERS` wants it."""
        self._log = EngineLog(request.address)
        return empty_pb2.Empty()

    def cancel(self, request: empty_pb2.Empty) -> empty_pb2.Empty:
        """Note that the engine gives up; a call that is under way ends by itself."""
        return empty_pb2.Empty()

    def _of_other_major(self, token: str, news: Properties) -> Properties:
        """Return the inputs that the types of pulumi_aws lack, where the program asks for another major."""
        if not self._other_major:
            return {}
        known = schema_of(token).inputs
        return {name: one for name, one in news.items() if name not in known and not name.startswith("__")}

    @cached_property
    def _answers(self) -> Answers:
        """The answers that the run has been given."""
        return given()

    def _take(self, entry: str) -> None:
        """Leave in the log which entry of the answers file was used."""
        if entry:
            self._log.note_once(f"{ANSWERED}{entry}")

    def _stood_in(self, token: str, urn: str, identifier: str, known: Mapping[str, Value]) -> Properties:
        """Return the outputs of a resource that the program takes as it is, marked where unknown."""
        answered, entry = self._answers.resource(token, identifier)
        self._take(entry)
        made_up = MARK in identifier  # No program asks for it, but a stand-in component has it.
        if not made_up:
            self._log.note_once(asked("resource", token, id=identifier, region=self._settings.region))
        outputs = rehearsed_read(token, urn, identifier, self._settings, {**known, **answered})
        if not entry and not made_up:
            self._log.warn_once(
                f"no one asks AWS here: of {token} {identifier} is known what the program says, the "
                "rest stands in, and what depends on that is undecided. Fix: give it by --answers FILE "
                "(`tapgate answers` makes it)"
            )
        return outputs

    @property
    def _has_emulator(self) -> bool:
        return bool(self._settings.endpoint or self._settings.endpoints)

    def _changer(self, verb: str, urn: str) -> Lifecycle:
        """Return what changes a resource, once earlier runs of the stack have ended."""
        token, _ = type_and_name(urn)
        deployer = self._deployer(verb, token)
        emulators = " ".join((self._settings.endpoint, *self._settings.endpoints.values()))
        self._fence.enter(stack_of(urn), emulators, self._log.warn_once)
        return deployer

    def _deployer(self, verb: str, token: str) -> Lifecycle:
        if not self._has_emulator:
            raise RefusedEndpointError(_NO_ENDPOINT.format(verb=verb, token=token))
        with self._lock:
            if self._api is None:
                from tapgate.embedded.aws_provider.deploy.aws import Api  # noqa: PLC0415 - boto3 takes a preview's time

                self._api = Api(self._settings, self._fence.require_open)
        from tapgate.embedded.aws_provider.deploy.lifecycle import Lifecycle  # noqa: PLC0415 - as above

        return Lifecycle(token, self._api, self._settings)


def set_result(
    response: pb.InvokeResponse | pb.CallResponse, result: Mapping[str, Value], *, secret: bool
) -> None:
    """Put a function's or method's result into an answer, in the field that Python has for itself."""
    struct = encode(result, dict.fromkeys(result) if secret else {})
    cast("struct_pb2.Struct", getattr(response, "return")).CopyFrom(struct)


def _no_parameters(asked: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"the AWS provider takes no parameters, so it has no package `{asked}`. "
        "Fix: take the parameters of `aws` out of the project's packages"
    )


def _with_computed(secrets: Secrets) -> Secrets:
    return {**secrets, "tagsAll": secrets["tags"]} if "tags" in secrets else secrets
