"""What can go wrong that the user can mend, and the protocol's errors for it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from tapgate.embedded.aws_provider.invokes import InvokeError
from tapgate.embedded.aws_provider.sdk_source import SdkMissingError, package_version
from tapgate.embedded.aws_provider.settings import RefusedEndpointError
from tapgate.embedded.aws_provider.values import ArchiveError, Properties, Secrets, encode

if TYPE_CHECKING:
    from google.protobuf.message import Message


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
        secrets: Which of the outputs are secret.
    """

    secrets: Secrets

    def __init__(self, message: str, identifier: str, outputs: Properties) -> None:
        """Keep what went wrong after the creation."""
        super().__init__(message)
        self.id = identifier
        self.outputs = outputs
        self.secrets = {}


class InvalidRequestError(ValueError):
    """The provider has nothing of what is asked for."""


def unknown_type(token: str) -> InvalidRequestError:
    """Return why a type that the package does not have is refused."""
    return InvalidRequestError(
        f"pulumi_aws {package_version()} has no resource type {token}. "
        "Fix: check its name in the pulumi_aws reference, or install a pulumi_aws that has it"
    )


_INVALID = (InvalidRequestError, InvokeError)
_PRECONDITION = (ApiError, ArchiveError, NotDeployableError, RefusedEndpointError, SdkMissingError)
_DETAILS = "grpc-status-details-bin"

Request = TypeVar("Request", bound="Message")
Response = TypeVar("Response", bound="Message")


def error_mapping(method: Callable[[Request], Response]) -> Callable[[Request, Any], Response]:
    """Return what serves a method, and answers a failure that the user can mend with the protocol's error."""

    def answer(request: Request, context: Any) -> Response:  # noqa: ANN401 - gRPC's, which its stubs leave open
        try:
            return method(request)
        except PartlyCreatedError as error:
            context.abort_with_status(_partly(error))
        except _INVALID as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except _PRECONDITION as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        raise AssertionError  # `abort` raises.

    return answer


def _partly(error: PartlyCreatedError) -> SimpleNamespace:
    """Say that a resource exists, but not as wanted: the engine keeps it and corrects it in its next run."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.id, properties=encode(error.outputs, error.secrets), reasons=[str(error)]
        )
    )
    status = status_pb2.Status(code=9, message=str(error), details=[detail])
    return SimpleNamespace(
        code=grpc.StatusCode.FAILED_PRECONDITION,
        details=str(error),
        trailing_metadata=((_DETAILS, status.SerializeToString()),),
    )
