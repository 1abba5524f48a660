"""The component itself: its outputs, and the order in which its parts are made.

Annotations have to be real types here, as in `args`: the component host reads the outputs' at run time.
"""

import pulumi

from tap_stack.alarms import Monitored, create_alarms
from tap_stack.args import TapStackArgs
from tap_stack.arguments import CONFIGURED, schema_name
from tap_stack.context import open_context
from tap_stack.data_bucket import create_data_bucket
from tap_stack.encryption_key import create_encryption_key
from tap_stack.event_sources import create_api_url, create_work_source
from tap_stack.function_specs import API_HANDLER, PROCESSOR
from tap_stack.functions import Dependencies, create_function
from tap_stack.metadata_table import create_metadata_table
from tap_stack.notifications import create_notifications
from tap_stack.queues import create_queues
from tap_stack.roles import create_role
from tap_stack.settings import read_settings

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
            name: The component's logical name, the beginning of its children's.
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
            context,
            Monitored(api_handler, processor, table, queues.dead_letters, queues.failed_events),
            topic,
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
            {
                "kmsKeyId": self.kms_key_id,
                "dataBucketName": self.data_bucket_name,
                "metadataTableName": self.metadata_table_name,
                "apiHandlerArn": self.api_handler_arn,
                "processorArn": self.processor_arn,
                "workQueueUrl": self.work_queue_url,
                "dlqUrl": self.dlq_url,
                "apiUrl": self.api_url,
                "notificationTopicArn": self.notification_topic_arn,
            }
        )
