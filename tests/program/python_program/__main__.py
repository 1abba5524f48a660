"""The TAP stack as a Python program declares it."""

from __future__ import annotations

import pulumi

from tap_stack import TapStack

config = pulumi.Config()
tap = TapStack(
    "tap",
    {
        "environment_suffix": config.get("environmentSuffix") or "",
        "notification_email": config.get_secret("notificationEmail") or "tap-alarms@example.com",
        "force_destroy": config.get_bool("forceDestroy") or False,
        "architecture": config.get("architecture") or "arm64",
        "permissions_boundary": config.get("permissionsBoundary") or "",
        "tags": config.get_object("tags") or {},
    },
)

pulumi.export("kmsKeyId", tap.kms_key_id)
pulumi.export("dataBucketName", tap.data_bucket_name)
pulumi.export("metadataTableName", tap.metadata_table_name)
pulumi.export("apiHandlerArn", tap.api_handler_arn)
pulumi.export("processorArn", tap.processor_arn)
pulumi.export("workQueueUrl", tap.work_queue_url)
pulumi.export("dlqUrl", tap.dlq_url)
pulumi.export("apiUrl", tap.api_url)
pulumi.export("notificationTopicArn", tap.notification_topic_arn)
