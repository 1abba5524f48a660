"""What a state says besides its resources, and states that are larger than they look."""

from __future__ import annotations

import gzip
import json
import resource as limits
import zlib

import pytest

from tapgate.analyzer.deployment import read_deployment
from tapgate.failure import CouldNotRunError
from tests.tapgate.sample_state import SECRET, exported, resource, root, urn


def notes(*resources: dict[str, object], **more: object) -> tuple[str, ...]:
    body = json.loads(exported([root(), *resources]))
    body["deployment"].update(more)
    return read_deployment(json.dumps(body).encode(), "f").notes


def test_a_plain_state_has_none() -> None:
    assert notes(resource("a", inputs={"x": 1, "t": "a"}, outputs={"x": 1, "t": "a", "more": True})) == ()


def test_what_is_marked_for_deletion_is_named_and_not_evaluated() -> None:
    assert notes(resource("a", delete=True), resource("b")) == (
        "marked for deletion, not evaluated, and possibly there still: a (test:index:Thing)",
    )


def test_pending_operations_are_named() -> None:
    operation = {"type": "creating", "resource": {"urn": urn("new")}}
    assert notes(pending_operations=[operation]) == (
        "pending, so that nobody knows whether it is done: creating new (test:index:Thing)",
    )


def test_what_stays_is_named() -> None:
    assert notes(resource("a", retainOnDelete=True)) == (
        "stay in AWS when they leave the program (retainOnDelete): a (test:index:Thing)",
    )


@pytest.mark.parametrize(
    ("asked", "there", "drifted"),
    [
        (True, False, True),
        (True, "true", False),
        (30, 7, True),
        (30, "30", False),
        ("a", "b", True),
        ('{"a": [1], "b": 2}', '{"b":2,"a":[1]}', False),
        ('{"a": 1}', '{"a": 2}', True),
        (["a"], ["b"], False),
        (SECRET, "x", False),
        ("a", None, False),
    ],
)
def test_outputs_that_are_not_what_was_asked_for(asked: object, there: object, *, drifted: bool) -> None:
    found = notes(
        resource("a", inputs={"x": asked, "__defaults": "y"}, outputs={"x": there, "__defaults": ""})
    )
    words = "other outputs than inputs: changed outside, or by AWS: a (test:index:Thing), `x`"
    assert found == ((words,) if drifted else ())


def test_the_rest_of_many_is_counted() -> None:
    (note,) = notes(*(resource(f"r{number}", delete=True) for number in range(8)))
    assert note.endswith("r4 (test:index:Thing), and 3 more")


@pytest.mark.parametrize("filling", [b"0", b" ", b"[", b'"a",'])
def test_a_small_file_does_not_take_the_machines_memory(filling: bytes) -> None:
    stream = zlib.compressobj(9, wbits=31)
    block = filling * (16_000_000 // len(filling))
    compressed = b"".join(stream.compress(block) for _ in range(40)) + stream.flush()
    assert len(compressed) < 3_000_000
    before = limits.getrusage(limits.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CouldNotRunError, match="state cannot be read"):
        read_deployment(compressed, "f")
    assert limits.getrusage(limits.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_a_state_of_too_many_values_is_refused() -> None:
    with pytest.raises(CouldNotRunError) as caught:
        read_deployment(b"[" + b"0," * 10_000_001 + b"0]", "f")
    assert "more than 10,000,000 values" in caught.value.why


def test_a_compressed_state_is_read() -> None:
    body = exported([root(), *(resource(f"r{number}") for number in range(2_000))])
    assert len(read_deployment(gzip.compress(body), "f").resources) == 2_001


@pytest.mark.parametrize("length", [-9, None])
def test_a_damaged_one_is_not(length: int | None) -> None:
    body = gzip.compress(exported([root()]))
    with pytest.raises(CouldNotRunError, match="state cannot be read"):
        read_deployment(body[:length] if length else body + b"x", "f")
