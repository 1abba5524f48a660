from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.analyzer.deployment import NoStateError, begin, read_deployment
from tapgate.assemble import managed
from tapgate.findings import CouldNotRunError
from tests.tapgate.sample_state import checkpoint, exported, resource, root


def test_an_exported_state() -> None:
    state = read_deployment(exported([root(), resource("a", inputs={"x": 1}, outputs={"y": 2})]), "f")
    assert (state.project, state.stack) == ("shop", "dev")
    assert [one.type for one in state.resources] == ["pulumi:pulumi:Stack", "test:index:Thing"]
    assert state.resources[1].inputs == {"x": 1.0}
    assert state.resources[1].outputs == {"y": 2.0}


@pytest.mark.parametrize("zipped", [False, True])
def test_a_state_of_a_self_managed_backend(zipped: bool) -> None:  # noqa: FBT001
    body = checkpoint([root()])
    state = read_deployment(gzip.compress(body) if zipped else body, "f")
    assert (state.project, state.stack, len(state.resources)) == ("shop", "dev", 1)


def test_a_stack_without_resources() -> None:
    assert read_deployment(checkpoint([]), "f").stack == "dev"
    assert read_deployment(exported([]), "f").resources == ()


def test_resources_that_are_being_deleted_are_left_out() -> None:
    state = read_deployment(exported([resource("a", delete=True), resource("b")]), "f")
    assert [one.urn[-1] for one in state.resources] == ["b"]


def test_what_a_component_that_stands_in_would_make_is_not_named_as_looked_up() -> None:
    unseen = resource("vpc", "awsx:ec2:Vpc", inputs={"tapgateUnseen": "The package is not there."})
    made = {**resource("vpc-subnet", external=True), "parent": unseen["urn"]}
    state = read_deployment(exported([root(), unseen, made, resource("own", external=True)]), "f")
    log = managed(begin(state))
    assert [one.message for one in log.diagnostics] == [
        "not evaluated, as the program only looks them up: own (test:index:Thing)"
    ]
    assert set(log.declared) == {one.urn for one in state.resources if one.type != "test:index:Thing"}


def test_half_a_surrogate_pair_reads_as_the_engine_reads_it() -> None:
    body = exported([resource("a", inputs={"k": ["\ud800x", {"\udc00": 1}]})])
    assert read_deployment(body, "f").resources[0].inputs == {"k": ["\ufffdx", {"\ufffd": 1.0}]}


BAD = [
    (b"", "it is not JSON"),
    (b"\x1f\x8bbroken", "it is not JSON"),
    (gzip.compress(b"{}")[:-6], "it is not JSON"),
    (b"{", "it is not JSON"),
    (b"\xff", "it is not JSON"),
    (b'{"version":3,"deployment":{"resources":[]},"x":NaN}', "the number NaN is out of range"),
    (b'{"version":3,"deployment":{"resources":[]},"x":1e999}', "out of range"),
    (b"[" * 100_000, "it is not JSON"),
    (b"[]", "not a Pulumi state"),
    (b'{"version":3}', "not a Pulumi state"),
    (b'{"version":2,"deployment":{}}', "not a Pulumi state"),
    (b'{"version":3,"deployment":[]}', "its deployment is not an object"),
    (b"\x28\xb5\x2f\xfd\x04", "it is compressed by zstd"),
    (b'{"version":3,"deployment":{"manifest":{},"resources":{"a":{}}}}', "its resources are no list"),
    (
        exported([root()])[:-1] + b',"checkpoint":{"latest":{"resources":[]}}}',
        "of which a backend reads only one",
    ),
    (b'{"version":3,"deployment":null,"checkpoint":{"latest":{}}}', "of which a backend reads only one"),
    (exported([{"type": "t"}]), "without a proper URN or type"),
    (exported([resource("a") | {"type": 7}]), "without a proper URN or type"),
    (exported([root("dev"), root("prod")]), "belong to several stacks"),
]


@pytest.mark.parametrize(("body", "why"), BAD, ids=range(len(BAD)))
def test_what_is_no_state_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(CouldNotRunError, match="The state cannot be read") as caught:
        read_deployment(body, "the file")
    assert why in caught.value.why
    assert caught.value.where == "the file"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["version", "deployment", "checkpoint", "latest", "resources", "urn", "type", "stack"])


@given(st.dictionaries(keys, st.dictionaries(keys, values, max_size=3) | values | st.just(3), max_size=4))
def test_any_document_is_read_or_refused(document: object) -> None:
    try:
        read_deployment(json.dumps(document).encode(), "f")
    except CouldNotRunError as failure:
        another = isinstance(failure, NoStateError)
        said = "The file is not a state." if another else "The state cannot be read."
        assert failure.what == said  # noqa: PT017 - both ends are right


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(CouldNotRunError):
        read_deployment(body, "f")
