"""The tokens of all that pulumi_aws has, module by module."""

from __future__ import annotations

from tapgate.embedded.aws_provider import sdk_text
from tapgate.embedded.aws_provider.sdk_source import functions_in, member_files, resources_in


def resource_tokens() -> list[str]:
    return [token for path in member_files() for token in resources_in(sdk_text.source(path))]


def function_tokens() -> list[str]:
    return [token for path in member_files() for token in functions_in(sdk_text.source(path))]
