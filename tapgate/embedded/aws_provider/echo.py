"""Stands in for the provider of any package but `aws`, in previews and in rehearsals.

It says of a resource what the program said; what the real provider would add is unknown, and marked in a
rehearsal. A component is registered without what it is made of, and so is said to be unseen, as is a resource
of a package of which no one here knows whether it has components.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, resource_pb2, resource_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from tapgate.embedded import program_text
from tapgate.embedded.answers import asked
from tapgate.embedded.aws_provider import std
from tapgate.embedded.aws_provider.catalog import Catalog, Known, result_of, stood_in
from tapgate.embedded.aws_provider.failures import InvalidRequestError, NotDeployableError
from tapgate.embedded.aws_provider.marks import (
    MARK_IN_BASE64,
    PROGRAM_FOLDER,
    REHEARSED,
    Resources,
    contains_mark,
    is_read,
    marked_text,
)
from tapgate.embedded.aws_provider.server import type_and_name
from tapgate.embedded.aws_provider.service import Provider, set_result
from tapgate.embedded.aws_provider.usage import PROVIDER
from tapgate.embedded.aws_provider.values import (
    UNKNOWN,
    Properties,
    Secrets,
    Value,
    contains_unknown,
    decode,
    dump_json,
    encode,
    resource_reference,
)

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.deploy.fence import Fence

# ruff: noqa: ARG002 - the arguments are the protocol's


UNSEEN: Final = "tapgateUnseen"
"""The property that says to policies why no one can look into a resource."""
_COMPONENT: Final = "The package of the component is not there, so no one knows what it is made of."
_RESOURCES_UNKNOWN: Final = "The package is not there, so no one knows whether this makes other resources."
_PACKAGE: Final = re.compile(r"[a-z][a-z0-9_-]*")
_KUBERNETES: Final = "kubernetes"
_ENCODED: Final = ("Secret", "data")
"""What Kubernetes has in base64: programs decode it."""
_TERRAFORM_STATE: Final = "terraform:state:RemoteStateReference"
"""What reads the outputs of a state of Terraform, as a StackReference does those of a stack."""
_SELF: Final = "__self__"
"""The argument of a method that is the resource."""
_SECONDS: Final = 60


class Other(Provider):
    """The provider's side of the protocol."""

    def __init__(
        self, engine_address: str, fence: Fence, *, catalog: Catalog, rehearsing: bool = False
    ) -> None:
        """Take the package."""
        super().__init__(engine_address, fence, rehearsing=rehearsing)
        self._catalog = catalog

    def get_schema(self, request: pb.GetSchemaRequest) -> pb.GetSchemaResponse:
        """Return the schema of what the program uses."""
        return pb.GetSchemaResponse(schema=self._catalog.schema_text())

    def parameterize(self, request: pb.ParameterizeRequest) -> pb.ParameterizeResponse:
        """Become the package that an SDK was generated for; what it has only its own provider knows."""
        name = request.value.name
        package, beside = self._catalog.package, self._catalog.sdk
        if not _PACKAGE.fullmatch(name):
            raise NotDeployableError(
                f"the provider of package `{package}` is not there, and its stand-in takes parameters only "
                f"as an SDK gives them. Fix: install it (pulumi plugin install resource {package})"
            )
        folder = beside.with_name(f"pulumi_{name.replace('-', '_')}") if beside is not None else None
        sdk = folder if folder is not None and folder.is_dir() else None
        self._catalog = Catalog(name, self._catalog.program, sdk, unseen=True)
        return pb.ParameterizeResponse(name=name, version=request.value.version)

    def check_config(self, request: pb.CheckRequest) -> pb.CheckResponse:
        """Take any configuration."""
        return pb.CheckResponse(inputs=request.news)

    def configure(self, request: pb.ConfigureRequest) -> pb.ConfigureResponse:
        """Take any configuration, and tell the user that this is not the real provider."""
        self._log.warn_once(
            f"stand-in provider for package {self._catalog.package}: its resources are what the program says "
            "of them, and the rest is unknown"
        )
        return pb.ConfigureResponse(acceptSecrets=True, acceptResources=False, supportsPreview=True)

    def check(self, request: pb.CheckRequest) -> pb.CheckResponse:
        """Take any inputs."""
        inputs, secrets = decode(request.news)
        token, name = type_and_name(request.urn)
        if self._catalog.package == _KUBERNETES:
            _name(self._catalog.find(token), inputs, f"{name}-{marked_text(request.urn)[-8:]}")
        if self._catalog.unseen or self._catalog.only_components or self._catalog.find(token).component:
            inputs[UNSEEN] = _RESOURCES_UNKNOWN
        return pb.CheckResponse(inputs=encode(inputs, secrets))

    def create(self, request: pb.CreateRequest) -> pb.CreateResponse:
        """Say what the program said."""
        identifier = "" if request.preview else self._identifier(request)
        properties = self._outputs(request.urn, request.properties, preview=request.preview)
        return pb.CreateResponse(id=identifier, properties=properties)

    def _identifier(self, request: pb.CreateRequest) -> str:
        """Return an id: namespace and name of an object of Kubernetes, else one that no one knows."""
        inputs, _ = decode(request.properties)
        metadata = inputs.get("metadata") if self._catalog.package == _KUBERNETES else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            return marked_text(f"{request.urn}#id")
        return "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))

    def update(self, request: pb.UpdateRequest) -> pb.UpdateResponse:
        """Say what the program says now."""
        properties = self._outputs(request.urn, request.news, preview=request.preview)
        return pb.UpdateResponse(properties=properties)

    def diff(self, request: pb.DiffRequest) -> pb.DiffResponse:
        """Compare what the program said with what it says."""
        return self.diff_config(request)

    def read(self, request: pb.ReadRequest) -> pb.ReadResponse:
        """Say that it is there; of what it is like only the answers file knows."""
        token, _ = type_and_name(request.urn)
        answered, entry = self._answers.resource(token, request.id)
        self._log.note_once(asked("resource", token, id=request.id))
        self._take(entry)
        state, secrets = decode(request.properties)
        if token == _TERRAFORM_STATE and not entry:
            folder = Path(os.environ.get(PROGRAM_FOLDER, os.devnull))
            answered = {"outputs": cast("Properties", program_text.outputs(folder, request.id))}
        # Unknown values are for what a preview plans; this is read in a preview, too.
        given = encode({**state, **answered}, secrets)
        properties = self._outputs(request.urn, given, preview=False, there=True)
        return pb.ReadResponse(id=request.id, properties=properties, inputs=request.inputs)

    def delete(self, request: pb.DeleteRequest) -> empty_pb2.Empty:
        """Do nothing."""
        return empty_pb2.Empty()

    def construct(self, request: pb.ConstructRequest) -> pb.ConstructResponse:
        """Register a component, without the resources that the real one would have."""
        inputs, secrets = decode(request.inputs)
        inputs[UNSEEN] = _COMPONENT
        with grpc.insecure_channel(request.monitorEndpoint) as channel:
            monitor = cast("Any", resource_pb2_grpc).ResourceMonitorStub(channel)
            registered = monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=request.type,
                    name=request.name,
                    parent=request.parent,
                    object=encode(inputs, secrets),
                    dependencies=list(request.dependencies),
                    providers=dict(request.providers),
                    propertyDependencies={
                        name: resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=one.urns)
                        for name, one in request.inputDependencies.items()
                    },
                    acceptSecrets=True,
                ),
                timeout=_SECONDS,
            )
            outputs = self._outputs(
                registered.urn,
                encode(inputs, secrets),
                preview=request.dryRun,
                resources=lambda reference, seed: self._made(monitor, request, reference, seed),
            )
            monitor.RegisterResourceOutputs(
                resource_pb2.RegisterResourceOutputsRequest(urn=registered.urn, outputs=outputs),
                timeout=_SECONDS,
            )
        return pb.ConstructResponse(urn=registered.urn, state=outputs)

    def invoke(self, request: pb.InvokeRequest) -> pb.InvokeResponse:
        """Answer a function: its arguments as they are, everything else marked."""
        args, secrets = decode(request.args)
        response = pb.InvokeResponse()
        if contains_unknown(args):
            return response
        known = self._catalog.find(request.tok)
        answered, entry = self._answers.function(request.tok, args)
        self._take(entry)
        if not entry and self._catalog.package == "std" and not contains_mark(args):
            try:
                answered = {"result": std.answer(request.tok, args)}
            except LookupError:
                answered = {}
            except ValueError as error:
                if not secrets:  # A secret that stands in need not be what the function takes.
                    raise InvalidRequestError(
                        f"{request.tok} has no result: {error}. Fix: correct its arguments"
                    ) from None
        if not secrets and (entry or not answered):
            self._log.note_once(asked("function", request.tok, arguments=args))
        if not entry and not answered:
            self._try(request.tok, args)
            self._log.warn_once(
                f"the results of {request.tok} are stand-ins, and what depends on them is undecided. Fix: "
                "give them by --answers FILE, or install the provider "
                f"(pulumi plugin install resource {self._catalog.package})"
            )
        result = {**result_of(known, request.tok, args), **answered}
        if self._catalog.package == "std":
            result.setdefault("result", marked_text(f"{request.tok}({dump_json(args)}).result"))
        set_result(response, result, secret=bool(secrets))
        return response

    def call(self, request: pb.CallRequest) -> pb.CallResponse:
        """Answer a method of a resource, marked; the result depends on the resource and on what it takes."""
        args, secrets = decode(request.args)
        known = self._catalog.find(request.tok)
        owner = args.pop(_SELF, None)
        answered, entry = self._answers.function(request.tok, args)
        self._take(entry)
        # The engine gives a component as its URN to a provider that takes no references to resources.
        urn = owner if isinstance(owner, str) and owner.startswith("urn:") else ""
        unknown = request.dryRun and not known.at_once
        result: Properties = {
            name: UNKNOWN if unknown else stood_in(known, name, f"{urn}.{request.tok}.{name}")
            for name in known.schema.outputs
        }
        result.update(answered)
        response = pb.CallResponse()
        set_result(response, result, secret=bool(secrets))
        urns = {urn, *(each for one in request.argDependencies.values() for each in one.urns)} - {""}
        for name in result:
            response.returnDependencies[name].urns.extend(sorted(urns))
        return response

    def get_plugin_info(self, request: empty_pb2.Empty) -> plugin_pb2.PluginInfo:
        """Return the version: that of the SDK."""
        return plugin_pb2.PluginInfo(version=self._catalog.version)

    def _made(self, monitor: Any, request: pb.ConstructRequest, reference: str, seed: str) -> Value:  # noqa: ANN401 - untyped
        """Return a resource that a component would make: one that is there, of which no one knows anything.

        Policies pass over it, as over all that a program only reads; that the component is unseen they say.
        A provider is made, for the program gives it to other resources.
        """
        token, version = self._catalog.resource_class(reference)
        identifier = marked_text(seed)
        if not token or self._catalog.program is not None:
            return identifier
        urn, _, output = seed.partition("#")
        name = f"{request.name}-{output}"
        if token.startswith(PROVIDER):
            made = monitor.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=token, name=name, parent=urn, custom=True, version=version, acceptSecrets=True
                ),
                timeout=_SECONDS,
            )
            return resource_reference(made.urn, made.id)
        read = monitor.ReadResource(
            resource_pb2.ReadResourceRequest(
                id=identifier,
                type=token,
                name=name,
                parent=urn,
                provider=dict(request.providers).get(token.partition(":")[0], ""),
                version=version,
                acceptSecrets=True,
            ),
            timeout=_SECONDS,
        )
        return resource_reference(read.urn, identifier)

    def _outputs(
        self,
        urn: str,
        given: struct_pb2.Struct,
        *,
        preview: bool,
        there: bool = False,
        resources: Resources | None = None,
    ) -> struct_pb2.Struct:
        inputs, secrets = decode(given)
        token, _ = type_and_name(urn)
        known = self._catalog.find(token)
        outputs = _echoed(known, inputs)
        missing = [name for name in _unsaid(known, outputs, there=there) if not name.startswith("__")]
        for name in missing:
            # A program gives a provider to other resources, which the engine checks in a preview, too.
            hidden = preview and not (resources is not None and known.is_provider(name) and is_read(name))
            outputs[name] = UNKNOWN if hidden else stood_in(known, name, f"{urn}#{name}", resources)
            if self._catalog.package == _KUBERNETES and (token.rpartition(":")[2], name) == _ENCODED:
                outputs[name] = _encoded(outputs[name])
        if missing and not preview:
            outputs[REHEARSED] = [*missing]
        marks: Secrets = {name: None for name in missing if name in known.schema.secret_outputs}
        return encode(outputs, {**secrets, **marks})


def _echoed(known: Known, inputs: Mapping[str, Value]) -> Properties:
    """Return the inputs as outputs, without those under whose name a component gives something else."""
    given, made = known.schema.inputs, known.schema.outputs
    other = {name for name in given if name in made and given[name].type.base != made[name].type.base}
    return {name: value for name, value in inputs.items() if not known.component or name not in other}


def _name(known: Known, inputs: Properties, name: str) -> None:
    """Name an object of Kubernetes that the program gives none, as its provider does."""
    if "metadata" in {*inputs, *known.schema.inputs} and not known.schema.token.endswith(("List", "Patch")):
        metadata = inputs.setdefault("metadata", {})
        if isinstance(metadata, dict) and "generateName" not in metadata:
            metadata.setdefault("name", name)


def _encoded(value: Value) -> Value:
    """Return a map with its values in base64, marked as they are and when they are decoded."""
    if not isinstance(value, dict):
        return value
    return {key: base64.b64encode(f"{MARK_IN_BASE64}{one}".encode()).decode() for key, one in value.items()}


def _unsaid(known: Known, said: Mapping[str, Value], *, there: bool) -> list[str]:
    """Return the outputs that the program does not say.

    A component may have any that is optional, and another resource any that the program reads; one that is
    there already has also what the program could have given it.
    """
    return [
        name
        for name, prop in known.schema.outputs.items()
        if name not in said
        and (
            prop.required or known.component or ((there or name not in known.schema.inputs) and is_read(name))
        )
    ]
