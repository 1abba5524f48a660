"""What can go wrong when resources are deployed to an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
