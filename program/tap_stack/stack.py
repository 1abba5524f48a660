"""The component itself: its arguments, its outputs, and the order in which its parts are made.

The arguments' docstrings are the schema's documentation. Annotations have to be real types here: the
component host reads them at run time, and postponed ones (`from __future__ import annotations`) would reach
it as text.
"""

from typing import NotRequired, TypedDict

import pulumi

from tap_stack.alarms import create_alarms, create_notifications
from tap_stack.arguments import CONFIGURED, schema_name
from tap_stack.context import open_context
from tap_stack.encryption_key import create_encryption_key
from tap_stack.functions import (
    API_HANDLER,
    PROCESSOR,
    Dependencies,
    create_api_url,
    create_function,
    create_work_source,
)
from tap_stack.queues import create_queues
from tap_stack.roles import create_role
from tap_stack.settings import read_settings
from tap_stack.storage import create_data_bucket, create_metadata_table


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


TYPE_TOKEN = "tap:index:TapStack"  # noqa: S105 - a Pulumi type token


class TapStack(pulumi.ComponentResource):
    """An API that ingests items, a queue, a processor, and everything that guards them.

    Encrypted with a key that rotates, recoverable, traced, logged, and monitored by alarms.
    """

    kms_key_id: pulumi.Output[str]
    """The id of the key that encrypts everything of the stack."""

    data_bucket_name: pulumi.Output[str]
    """The bucket with the items, under `incoming/` and `processed/`."""

    metadata_table_name: pulumi.Output[str]
    """The table with what is known about each item."""

    api_handler_arn: pulumi.Output[str]
    """The function behind the API."""

    processor_arn: pulumi.Output[str]
    """The function that processes items."""

    work_queue_url: pulumi.Output[str]
    """The queue that feeds the processor."""

    dlq_url: pulumi.Output[str]
    """The dead letter queue: what could not be processed."""

    api_url: pulumi.Output[str]
    """The URL of the API; requests are signed with SigV4 for the service `lambda`."""

    notification_topic_arn: pulumi.Output[str]
    """The topic that the alarms notify."""

    def __init__(self, name: str, args: TapStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the stack.

        Args:
            name: The component's logical name, the prefix of its children's.
            args: See `TapStackArgs`.
            opts: Options of the component; its providers are its children's.

        Raises:
            InvalidTapStackArgs: The arguments are wrong; nothing has been declared.
        """
        config = pulumi.Config()
        settings = read_settings(
            name,
            args,
            project=pulumi.get_project(),
            stack=pulumi.get_stack(),
            config={key: value for key in map(schema_name, CONFIGURED) if (value := config.get(key))},
        )
        super().__init__(TYPE_TOKEN, name, {}, opts)
        context = open_context(self, name, settings)

        api_role = create_role(context, API_HANDLER)
        processor_role = create_role(context, PROCESSOR)
        key = create_encryption_key(context, [api_role.role, processor_role.role])
        bucket = create_data_bucket(context, key)
        table = create_metadata_table(context, key)
        queues = create_queues(context, key)

        dependencies = Dependencies(key, bucket, table, queues.work, queues.failed_events)
        api_handler = create_function(
            context,
            API_HANDLER,
            role=api_role,
            dependencies=dependencies,
            code=settings.api_handler_code,
            reserved_concurrency=settings.api_handler_reserved_concurrency,
        )
        processor = create_function(
            context, PROCESSOR, role=processor_role, dependencies=dependencies, code=settings.processor_code
        )
        api_url = create_api_url(context, api_handler)
        create_work_source(context, queues.work, processor)

        topic = create_notifications(context, key)
        create_alarms(
            context, topic, api_handler=api_handler, processor=processor, table=table, queues=queues
        )

        self.kms_key_id = key.key_id
        self.data_bucket_name = bucket.bucket
        self.metadata_table_name = table.name
        self.api_handler_arn = api_handler.arn
        self.processor_arn = processor.arn
        self.work_queue_url = queues.work.url
        self.dlq_url = queues.dead_letters.url
        self.api_url = api_url.function_url
        self.notification_topic_arn = pulumi.Output.from_input(topic)
        self.register_outputs(
            {schema_name(output): getattr(self, output) for output in TapStack.__annotations__}
        )
