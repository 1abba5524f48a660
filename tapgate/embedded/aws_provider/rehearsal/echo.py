"""Stands in, in a rehearsal, for a provider that would do something: dynamic ones, `command`, `kubernetes`.

It says of a resource what the program said. What the real provider would add is not there, and the policies
are told by the resource's type that nobody looked into it.
"""

# ruff: noqa: ARG002 - the arguments are the protocol's

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from tapgate.embedded.aws_provider.rehearsal.marks import marked_text
from tapgate.embedded.aws_provider.service import Provider

if TYPE_CHECKING:
    from google.protobuf import empty_pb2

    from tapgate.embedded.aws_provider.error_mapping import Context

_VERSION = "1.0.0"


class Echo(Provider):
    """The provider's side of the protocol; none of its answers takes anything but the request."""

    def get_schema(
        self,
        request: provider_pb2.GetSchemaRequest,
        context: Context,
    ) -> provider_pb2.GetSchemaResponse:
        """Refuse: nobody here knows the package's types."""
        _abort(context, "its schema")

    def check_config(
        self, request: provider_pb2.CheckRequest, _context: Context
    ) -> provider_pb2.CheckResponse:
        """Take any configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def configure(
        self,
        request: provider_pb2.ConfigureRequest,
        context: Context,
    ) -> provider_pb2.ConfigureResponse:
        """Take any configuration."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        """Take any inputs."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        """Return what the program said, under an id that nobody knows."""
        identifier = "" if request.preview else marked_text(f"{request.urn}#id")
        return provider_pb2.CreateResponse(id=identifier, properties=request.properties)

    def update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        """Return what the program says now."""
        return provider_pb2.UpdateResponse(properties=request.news)

    def read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        """Say that it is there; of what it is like nothing is known."""
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        """Refuse: nobody here knows the answer."""
        _abort(context, f"the function {request.tok}")

    def plugin_info(self, _request: empty_pb2.Empty, _context: Context) -> plugin_pb2.PluginInfo:
        """Return a version."""
        return plugin_pb2.PluginInfo(version=_VERSION)


def _abort(context: Context, what: str) -> NoReturn:
    context.abort(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"a rehearsal does nothing outside, so this provider is not asked for {what}. "
        "Fix: give the values by configuration",
    )
