"""What can go wrong that the user can mend, and the protocol's errors for it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from tapgate.embedded.aws_provider.sdk_source import SdkMissingError, package_version
from tapgate.embedded.aws_provider.settings import RefusedEndpointError
from tapgate.embedded.aws_provider.values import ArchiveError, Secrets, encode

if TYPE_CHECKING:
    from collections.abc import Generator

    from tapgate.embedded.aws_provider.values import Properties


class ApiError(RuntimeError):
    """AWS's API refused a call.

    Attributes:
        code: AWS's error code, e.g. `ResourceNotFoundException`; empty when there was no answer at all.
    """

    def __init__(self, message: str, code: str = "") -> None:
        """Keep what was refused and why."""
        super().__init__(message)
        self.code = code


class NotDeployableError(ValueError):
    """The stand-in previews this, but cannot deploy it; the message says what."""


class PartlyCreatedError(RuntimeError):
    """The resource exists, but not as wanted.

    Attributes:
        id: Its id.
        outputs: What is known of it.
    """

    def __init__(self, message: str, identifier: str, outputs: Properties) -> None:
        """Keep what went wrong after the creation."""
        super().__init__(message)
        self.id = identifier
        self.outputs = outputs


_DETAILS = "grpc-status-details-bin"


class Context(Protocol):
    """What is used of gRPC's own context of a call."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with an error."""
        ...

    def abort_with_status(self, status: Status) -> NoReturn:
        """End the call with an error that has details."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """An error with details, in gRPC's form."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


@contextlib.contextmanager
def error_mapping(context: Context, secrets: Secrets) -> Generator[None]:
    """Answer with the protocol's error when the block fails for a reason that the user can mend.

    Args:
        context: The call that is answered.
        secrets: Which outputs of the resource are secret, should it exist in part.
    """
    try:
        yield
    except PartlyCreatedError as error:
        context.abort_with_status(_partly(error, secrets))
    except (ApiError, ArchiveError, NotDeployableError, RefusedEndpointError, SdkMissingError) as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _partly(error: PartlyCreatedError, secrets: Secrets) -> Status:
    """Say that a resource exists, but not as wanted: the engine keeps it and repairs it in its next run."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.id, properties=encode(error.outputs, secrets), reasons=[str(error)]
        )
    )
    code = grpc.StatusCode.FAILED_PRECONDITION
    status = status_pb2.Status(code=9, message=str(error), details=[detail])
    return Status(code, str(error), ((_DETAILS, status.SerializeToString()),))


def abort_parameters(context: Context, asked: str) -> NoReturn:
    """Refuse parameters: the AWS provider is one package, the same for everybody."""
    context.abort(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"the AWS provider takes no parameters, so it has no package `{asked}`. "
        "Fix: take the parameters of `aws` out of the project's packages",
    )


def abort_unknown_type(context: Context, token: str) -> NoReturn:
    """Refuse a type that the package does not have."""
    context.abort(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"pulumi_aws {package_version()} has no resource type {token}. "
        "Fix: check its name in the pulumi_aws reference, or install a pulumi_aws that has it",
    )
