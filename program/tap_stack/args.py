"""The arguments of TapStack. The docstrings below are the schema's documentation.

Annotations have to be real types here: the component host reads them at run time, and postponed ones
(`from __future__ import annotations`) would reach it as text.
"""

from typing import NotRequired, TypedDict

import pulumi


class TapStackArgs(TypedDict):
    """What an operator can set. Arguments without `Input` shape names and sizes: plain values only."""

    environment_suffix: NotRequired[str]
    """The end of every physical name (`tap-<component>-<suffix>`) and the value of the `Environment` tag.

    Lower-case letters, digits and single hyphens, at most 25. Absent or empty: what follows `TapStack` in
    the stack's name (`TapStackpr12` gives `pr12`), and `dev` for any other stack.
    """

    tags: NotRequired[dict[str, str]]
    """Tags for every resource, on top of `Project`, `Environment` and `ManagedBy`; the same key wins."""

    log_retention_in_days: NotRequired[int]
    """Days that the functions' logs are kept, one of the numbers CloudWatch Logs accepts.

    Default: the value of `logRetentionInDays` in the project's config, else 7, in `staging` 14, in `prod` 30.
    """

    log_level: NotRequired[str]
    """The functions' log level: DEBUG, INFO, WARNING, ERROR or CRITICAL. Default: INFO."""

    api_handler_error_threshold: NotRequired[int]
    """Alarm when the API handler fails, or answers with 5xx, more often than this in each of two 5-minute
    periods. Default: 5.
    """

    processor_error_threshold: NotRequired[int]
    """Alarm when the processor fails more often than this in each of two 5-minute periods. Default: 10."""

    api_handler_duration_threshold: NotRequired[int]
    """Alarm when the API handler takes longer than this on average, in milliseconds, in each of three
    5-minute periods. Below its timeout of 30,000. Default: 20000.
    """

    notification_email: NotRequired[pulumi.Input[str]]
    """The address that alarms notify, once its owner confirms the subscription; may be secret.

    Empty: none.
    """

    notification_topic_arn: NotRequired[pulumi.Input[str]]
    """An SNS topic in this region that alarms notify instead of a topic of the stack's own.

    It has to let CloudWatch publish, and so does its key when it is encrypted. Empty: the stack's own topic.
    """

    deletion_protection: NotRequired[bool]
    """Refuse to delete table, bucket and key, in AWS where it can and in Pulumi.

    Default: the value of `deletionProtection` in the project's config, else true in `prod` alone.
    """

    force_destroy: NotRequired[bool]
    """Delete the objects in the bucket along with the stack: for throwaway stacks. Default: false."""

    permissions_boundary: NotRequired[str]
    """The ARN of the IAM policy that bounds the functions' roles. Empty: none."""

    architecture: NotRequired[str]
    """The functions' processors: arm64 or x86_64. Default: arm64."""

    api_handler_reserved_concurrency: NotRequired[int]
    """Concurrent runs kept for the API handler, which are its limit too. Default: -1, none kept, no limit."""

    processor_maximum_concurrency: NotRequired[int]
    """Concurrent runs of the processor that the queue may cause, 2 to 1000. Default: 10."""

    api_handler_code: NotRequired[pulumi.Input[pulumi.Archive]]
    """The API handler's code. Default: `dist/api_handler.zip`, which `python -m lambdas.package` builds."""

    processor_code: NotRequired[pulumi.Input[pulumi.Archive]]
    """The processor's code. Default: `dist/processor.zip`, which `python -m lambdas.package` builds."""
