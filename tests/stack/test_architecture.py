"""How docs/architecture.md draws a stack; test_configured.py compares it with the program's."""

from __future__ import annotations

from tests.docs.architecture import boxes, folded, mermaid


def state(name: str, kind: str, **uses: list[str]) -> dict[str, object]:
    urns = {key: [f"urn:pulumi:dev::tap::any::{one}" for one in names] for key, names in uses.items()}
    return {
        "newState": {
            "urn": f"urn:pulumi:dev::tap::{kind}::{name}",
            "type": kind,
            "custom": not kind.startswith("tap:"),
            "propertyDependencies": urns,
        }
    }


INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
STEPS = [
    state("tap", "tap:index:TapStack"),
    state("fn", "aws:lambda/function:Function", environment=["data"], kmsKeyArn=["key"]),
    state("async", INVOKE_CONFIG, functionName=["fn"], destinationConfig=["dead"]),
    state("data", "aws:s3/bucket:Bucket"),
    state("versions", "aws:s3/bucketVersioning:BucketVersioning", bucket=["data"]),
    state("key", "aws:kms/key:Key"),
    state("alias", "aws:kms/alias:Alias", targetKeyId=["key"]),
    state("dead", "aws:sqs/queue:Queue", kmsMasterKeyId=["key"]),
    state("work", "aws:sqs/queue:Queue", kmsMasterKeyId=["key"], redrivePolicy=["dead"]),
    state("told", "aws:sns/topic:Topic"),
    state("alarm-1", ALARM, dimensions=["fn"], alarmActions=["told"]),
    state("alarm-2", ALARM, dimensions=["dead"], alarmActions=["told"]),
    state("alarm-3", ALARM, dimensions=["work"], alarmActions=["told"]),
    state("alarm-4", ALARM, dimensions=["work"], alarmActions=["told"]),
]


def test_what_completes_a_resource_is_in_its_box() -> None:
    kept = folded(boxes(STEPS))
    assert {name: box.with_ for name, box in kept.items() if box.with_} == {
        "data": ["versioning"],
        "fn": ["event invoke config"],
        "key": ["alias"],
    }
    assert sorted(kept["fn"].uses) == ["data", "dead", "key"]
    assert "alias" not in kept
    assert "tap" not in kept


def test_an_arrow_goes_to_what_is_used() -> None:
    assert mermaid(STEPS).splitlines() == [
        "flowchart LR",
        '  subgraph cloudwatch_metricAlarm["CloudWatch alarms"]',
        '    r0["alarm-1<br/>metric alarm"]',
        '    r1["alarm-2<br/>metric alarm"]',
        '    r2["alarm-3<br/>metric alarm"]',
        '    r3["alarm-4<br/>metric alarm"]',
        "  end",
        '  subgraph kms["KMS"]',
        '    r7["key<br/>key<br/><small>alias</small>"]',
        "  end",
        '  subgraph lambda["Lambda"]',
        '    r6["fn<br/>function<br/><small>event invoke config, key: key</small>"]',
        "  end",
        '  subgraph s3["S3"]',
        '    r4["data<br/>bucket<br/><small>versioning</small>"]',
        "  end",
        '  subgraph sns["SNS"]',
        '    r8["told<br/>topic"]',
        "  end",
        '  subgraph sqs["SQS"]',
        '    r5["dead<br/>queue<br/><small>key: key</small>"]',
        '    r9["work<br/>queue<br/><small>key: key</small>"]',
        "  end",
        "  cloudwatch_metricAlarm --> r8",
        "  r0 --> r6",
        "  r1 --> r5",
        "  r2 --> r9",
        "  r3 --> r9",
        "  r6 --> r4",
        "  r6 --> r5",
        "  r9 --> r5",
    ]
