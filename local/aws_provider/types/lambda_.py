"""Lambda."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:lambda/function:Function": Description(
        replaces=frozenset({"name", "packageType", "tenancyConfig"}),
        defaults={"memorySize": 128, "packageType": "Zip", "reservedConcurrentExecutions": -1, "timeout": 3},
        computed=frozenset(
            {
                "ephemeralStorage.size",
                "loggingConfig.logGroup",
                "snapStart.optimizationStatus",
                "vpcConfig.vpcId",
            }
        ),
        renewed={"*": ("lastModified",), "code": ("codeSha256", "sourceCodeHash", "sourceCodeSize")},
        sets=frozenset({"vpcConfig.securityGroupIds", "vpcConfig.subnetIds", "replacementSecurityGroupIds"}),
        limits={
            "architectures": Limit(choices=("arm64", "x86_64")),
            "loggingConfig.logFormat": Limit(choices=("JSON", "Text")),
            "memorySize": Limit(minimum=128, maximum=10_240),
            "packageType": Limit(choices=("Zip", "Image")),
            "reservedConcurrentExecutions": Limit(minimum=-1),
            "timeout": Limit(minimum=1, maximum=900),
            "tracingConfig.mode": Limit(choices=("Active", "PassThrough")),
        },
    ),
    "aws:lambda/functionUrl:FunctionUrl": Description(
        replaces=frozenset({"functionName", "qualifier"}),
        defaults={"invokeMode": "BUFFERED"},
        sets=frozenset({"cors.allowHeaders", "cors.allowMethods", "cors.allowOrigins", "cors.exposeHeaders"}),
        limits={"authorizationType": Limit(choices=("NONE", "AWS_IAM"))},
    ),
    "aws:lambda/permission:Permission": Description(
        replaces=frozenset(
            {
                "action",
                "eventSourceToken",
                "function",
                "functionUrlAuthType",
                "invokedViaFunctionUrl",
                "principal",
                "principalOrgId",
                "qualifier",
                "sourceAccount",
                "sourceArn",
                "statementId",
                "statementIdPrefix",
            }
        ),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Description(
        replaces=frozenset(
            {
                "eventSourceArn",
                "queues",
                "selfManagedEventSource",
                "startingPosition",
                "startingPositionTimestamp",
                "topics",
            }
        ),
        defaults={"enabled": True},
        sets=frozenset({"functionResponseTypes", "sourceAccessConfigurations", "filterCriteria.filters"}),
        limits={
            "functionResponseTypes": Limit(choices=("ReportBatchItemFailures",)),
            "scalingConfig.maximumConcurrency": Limit(minimum=2),
        },
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Description(
        replaces=frozenset({"functionName", "qualifier"}),
        defaults={"maximumRetryAttempts": 2},
        limits={
            "maximumEventAgeInSeconds": Limit(minimum=60, maximum=21_600),
            "maximumRetryAttempts": Limit(minimum=0, maximum=2),
        },
    ),
}
