"""DynamoDB."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:dynamodb/table:Table": Description(
        replaces=frozenset(
            {
                "hashKey",
                "importTable",
                "localSecondaryIndexes",
                "name",
                "rangeKey",
                "restoreBackupArn",
                "restoreDateTime",
                "restoreSourceName",
                "restoreSourceTableArn",
                "restoreToLatestTime",
            }
        ),
        defaults={"billingMode": "PROVISIONED"},
        absent={"tableClass": "STANDARD"},
        sets=frozenset({"attributes", "globalSecondaryIndexes", "localSecondaryIndexes", "replicas"}),
        computed=frozenset(
            {
                "pointInTimeRecovery.recoveryPeriodInDays",
                "serverSideEncryption.kmsKeyArn",
                "replicas.kmsKeyArn",
                "replicas.arn",
                "replicas.streamArn",
                "replicas.streamLabel",
            }
        ),
        limits={
            "billingMode": Limit(choices=("PROVISIONED", "PAY_PER_REQUEST")),
            "attributes.type": Limit(choices=("S", "N", "B")),
            "tableClass": Limit(choices=("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
            "pointInTimeRecovery.recoveryPeriodInDays": Limit(minimum=1, maximum=35),
        },
    ),
    "aws:dynamodb/tableReplica:TableReplica": Description(
        replaces=frozenset({"globalTableArn", "kmsKeyArn", "tableClassOverride"}),
    ),
}
