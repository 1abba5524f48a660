"""The namespaces that AWS publishes metrics in, and how to tell a slip of the pen from a new one.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

from __future__ import annotations

from typing import Final

AWS_PREFIX: Final = "AWS/"
"""What AWS keeps for itself: nobody else can publish into such a namespace.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

# fmt: off
SERVICES: Final = (
    "ACMPrivateCA", "AmazonMQ", "AmplifyHosting", "ApiGateway", "AppFlow", "ApplicationELB", "AppRunner",
    "AppStream", "AppSync", "Athena", "AutoScaling", "Backup", "Batch", "Bedrock", "Billing",
    "CertificateManager", "Chatbot", "CloudFront", "CloudHSM", "CloudSearch", "CloudTrail",
    "CloudWatch/MetricStreams", "CodeBuild", "Cognito", "Connect", "DataSync", "DAX", "DDoSProtection",
    "DMS", "DocDB", "DX", "DynamoDB", "EBS", "EC2", "EC2/API", "EC2CapacityReservations", "EC2Spot", "ECR",
    "ECS", "ECS/ManagedScaling", "EFS", "EKS", "ElastiCache", "ElasticBeanstalk", "ElasticInference",
    "ElasticMapReduce", "ElasticTranscoder", "ELB", "EMRServerless", "ES", "Events", "Firehose", "FMS",
    "FSx", "GameLift", "GatewayELB", "GlobalAccelerator", "Glue", "GroundStation", "Inspector", "IoT",
    "IoTAnalytics", "IPAM", "IVS", "Kafka", "KafkaConnect", "Kendra", "Kinesis", "KinesisAnalytics",
    "KinesisVideo", "KMS", "Lambda", "Lex", "Location", "Logs", "LookoutMetrics", "MediaConnect",
    "MediaConvert", "MediaLive", "MediaPackage", "MediaStore", "MediaTailor", "MemoryDB", "ML", "MWAA",
    "NATGateway", "Neptune", "NetworkELB", "NetworkFirewall", "OpsWorks", "Outposts", "Pinpoint", "Polly",
    "PrivateLinkEndpoints", "PrivateLinkServices", "QLDB", "QuickSight", "RDS", "Redshift",
    "Redshift-Serverless", "Rekognition", "ResilienceHub", "Robomaker", "Route53", "Route53Resolver", "RUM",
    "S3", "S3/Storage-Lens", "SageMaker", "Scheduler", "SecretsManager", "ServiceCatalog", "SES",
    "SMSVoice", "SNS", "SQS", "SSM-RunCommand", "States", "StorageGateway", "SWF", "Textract",
    "ThingsGraph", "Timestream", "Transcribe", "Transfer", "TransitGateway", "Translate", "TrustedAdvisor",
    "Usage", "VpcLattice", "VPN", "WAFV2", "WorkMail", "WorkSpaces", "X-Ray",
)
# fmt: on

PUBLISHED: Final = frozenset(AWS_PREFIX + service for service in SERVICES)

CLOSE: Final = 0.84
"""How alike two names are, of 1, when one is taken for a slip of the other."""


def slip_of(namespace: str) -> str | None:
    """Return the namespace that a name is a slip of: `AWS/Lambda` for `AWS/lambda` or `AWS/Lambdas`.

    AWS adds namespaces all the time, so one that is not on the list and not like any on it is believed.
    """
    if namespace in PUBLISHED or not namespace.lower().startswith(AWS_PREFIX.lower()):
        return None
    import difflib  # noqa: PLC0415 - seldom needed, and the pack's start counts

    by_letters = {published.lower(): published for published in PUBLISHED}
    close = difflib.get_close_matches(namespace.lower(), by_letters, n=1, cutoff=CLOSE)
    return by_letters[close[0]] if close else None
