from __future__ import annotations

import pytest
from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2

from tapgate.analyzer.process import struct
from tapgate.analyzer.running import reconcile


def info() -> analyzer_pb2.AnalyzerInfo:
    schema = analyzer_pb2.PolicyConfigSchema(
        properties=struct({"days": {"type": "integer", "default": 30}, "words": {"type": "string"}})
    )
    return analyzer_pb2.AnalyzerInfo(
        policies=[
            analyzer_pb2.PolicyInfo(name="a", enforcementLevel=analyzer_pb2.MANDATORY, configSchema=schema),
            analyzer_pb2.PolicyInfo(name="b", enforcementLevel=analyzer_pb2.ADVISORY),
        ],
        initialConfig={
            "b": analyzer_pb2.PolicyConfig(
                enforcementLevel=analyzer_pb2.REMEDIATE, properties=struct({"x": 1})
            ),
            "gone": analyzer_pb2.PolicyConfig(),
        },
    )


@pytest.mark.parametrize(
    ("config", "levels", "properties"),
    [
        ({}, "MANDATORY REMEDIATE", {"days": 30.0}),
        ({"all": "disabled"}, "DISABLED DISABLED", {"days": 30.0}),
        ({"all": {"enforcementLevel": "advisory"}, "a": "mandatory"}, "MANDATORY ADVISORY", {"days": 30.0}),
        ({"a": {"days": 7, "words": "x"}}, "MANDATORY REMEDIATE", {"days": 7.0, "words": "x"}),
        ({"a": {"enforcementLevel": "advisory", "days": 7}}, "ADVISORY REMEDIATE", {"days": 7.0}),
    ],
)
def test_defaults_then_the_packs_own_then_the_file(
    config: dict[str, object], levels: str, properties: dict[str, object]
) -> None:
    result = reconcile(info(), config)
    assert list(result) == ["a", "b"]
    given = [analyzer_pb2.EnforcementLevel.Name(one.enforcementLevel) for one in result.values()]
    assert " ".join(given) == levels
    assert json_format.MessageToDict(result["a"].properties) == properties
    assert json_format.MessageToDict(result["b"].properties) == {"x": 1.0}
