"""Actions that AWS does not scope to resources: a policy can allow them on `*` or not at all.

Each service's page of the service authorization reference leaves their column of resource types empty:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
Those that a serverless application's roles use are here: telemetry, reading and listing, and the stateless
calls of the services for texts and pictures. Those that change an account (`kms:CreateKey`,
`organizations:CreateAccount`) are left out, for they are worth a word in the policy's configuration.
"""

from __future__ import annotations

from typing import Final

BY_SERVICE: Final[dict[str, str]] = {
    "appsync": "ListGraphqlApis",
    "bedrock": "ListFoundationModels ListInferenceProfiles",
    "cloudformation": "ListExports ListStacks ValidateTemplate",
    # PutMetricData takes a namespace as a condition; the resource type it has is for other metrics:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    "cloudwatch": "DescribeAlarmsForMetric DescribeAnomalyDetectors GetMetricData GetMetricStatistics "
    "GetMetricWidgetImage ListDashboards ListMetrics PutMetricData",
    "comprehend": "BatchDetectDominantLanguage BatchDetectEntities BatchDetectKeyPhrases "
    "BatchDetectSentiment ContainsPiiEntities DetectDominantLanguage DetectKeyPhrases DetectPiiEntities "
    "DetectSentiment DetectSyntax DetectTargetedSentiment",
    "dynamodb": "DescribeEndpoints DescribeLimits ListStreams ListTables",
    "ec2": "DescribeAvailabilityZones DescribeNetworkInterfaces DescribeRegions DescribeSecurityGroups "
    "DescribeSubnets DescribeVpcs",
    "ecr": "GetAuthorizationToken",
    "events": "ListEventBuses ListRuleNamesByTarget ListRules TestEventPattern",
    "firehose": "ListDeliveryStreams",
    "iam": "ListAccountAliases ListPolicies ListRoles ListUsers",
    "kinesis": "DescribeLimits ListStreams",
    "kms": "GenerateRandom ListAliases ListKeys",
    "lambda": "GetAccountSettings ListEventSourceMappings ListFunctions ListLayers ListLayerVersions",
    "logs": "DescribeLogGroups DescribeQueries DescribeQueryDefinitions DescribeResourcePolicies StopQuery "
    "TestMetricFilter",
    "polly": "DescribeVoices GetSpeechSynthesisTask ListSpeechSynthesisTasks",
    "rekognition": "CompareFaces DetectFaces DetectLabels DetectText GetLabelDetection GetTextDetection "
    "RecognizeCelebrities StartLabelDetection StartTextDetection",
    "s3": "GetAccountPublicAccessBlock ListAllMyBuckets",
    "secretsmanager": "BatchGetSecretValue GetRandomPassword ListSecrets",
    "sns": "ListSubscriptions ListTopics",
    "sqs": "ListQueues",
    "ssm": "DescribeParameters",
    "states": "ListStateMachines SendTaskFailure SendTaskHeartbeat SendTaskSuccess",
    "sts": "DecodeAuthorizationMessage GetCallerIdentity GetSessionToken",
    "tag": "GetResources GetTagKeys GetTagValues",
    "textract": "AnalyzeDocument AnalyzeExpense AnalyzeID DetectDocumentText GetDocumentAnalysis "
    "GetDocumentTextDetection GetExpenseAnalysis StartDocumentAnalysis StartDocumentTextDetection "
    "StartExpenseAnalysis",
    "translate": "DescribeTextTranslationJob ListLanguages",
    "xray": "BatchGetTraces GetSamplingRules GetSamplingStatisticSummaries GetSamplingTargets "
    "GetServiceGraph GetTraceGraph GetTraceSummaries PutSpans PutSpansForIndexing "
    "PutTelemetryRecords PutTraceSegments",
}

UNSCOPED_ACTIONS: Final = frozenset(
    f"{service}:{action}".casefold() for service, actions in BY_SERVICE.items() for action in actions.split()
)
"""In lower case, for IAM does not tell cases apart in actions."""
