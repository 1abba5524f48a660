"""What the stack tells its functions through their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple


class SettingsError(RuntimeError):
    """An environment variable that the stack has to set is missing."""


class Settings(NamedTuple):
    """Names of the stack's resources; nothing secret."""

    table_name: str
    bucket_name: str
    queue_url: str
    kms_key_arn: str
    environment_suffix: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: Some are missing or empty; the message names all of them.
    """
    names = ("TABLE_NAME", "BUCKET_NAME", "QUEUE_URL", "KMS_KEY_ARN", "ENVIRONMENT_SUFFIX")
    values = [environment.get(name, "") for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        message = (
            f"The function's environment lacks {', '.join(missing)}, so it cannot find its resources. "
            "Set each in the function's `environment.variables`."
        )
        raise SettingsError(message)
    return Settings(*values)


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return read_settings(os.environ)
