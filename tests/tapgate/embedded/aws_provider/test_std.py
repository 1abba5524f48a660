"""The functions of `std`, with the results that Terraform documents for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapgate.embedded.aws_provider.std import answer

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.values import Value

CASES: list[list[Value]] = yaml.load(
    Path(__file__).with_name("std.yaml").read_text("utf-8"), yaml.CSafeLoader
)


@pytest.mark.parametrize(
    ("name", "args", "result"), CASES, ids=[f"{one[0]}-{i}" for i, one in enumerate(CASES)]
)
def test_a_function_has_its_result(name: str, args: dict[str, Value], result: Value) -> None:
    found = answer(f"std:index:{name}", args)
    assert (found, type(found)) == (result, type(result))


def test_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello\n")
    args: dict[str, Value] = {"input": str(path)}
    assert answer("std:index/file:file", args) == "hello\n"
    assert answer("std:filebase64", args) == "aGVsbG8K"
    assert answer("std:filemd5", args) == "b1946ac92492d2347c6235b4d2611184"
    assert answer("std:fileexists", args) is True
    assert answer("std:fileexists", {"input": str(tmp_path / "none")}) is False


@pytest.mark.parametrize("name", ["timestamp", "uuid", "bcrypt", "rsadecrypt", "nothing"])
def test_what_does_not_only_compute_is_not_answered(name: str) -> None:
    with pytest.raises(LookupError):
        answer(f"std:index:{name}", {"input": "a", "cost": 4})


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("base64decode", {"input": "?"}),
        ("element", {"input": [], "index": 0}),
        ("file", {"input": "/no/such/file"}),
        ("format", {"input": "%s %s", "args": ["a"]}),
        ("jsondecode", {"input": "{"}),
        ("pow", {"base": 10, "exponent": 10_000_000}),
        ("range", {"limit": 3, "start": 0, "step": "x"}),
        ("regex", {"pattern": "(", "string": "a"}),
        ("regex", {"pattern": "b", "string": "a"}),
        ("tobool", {"input": "maybe"}),
        ("zipmap", {"keys": ["a"], "values": []}),
        ("upper", {}),
    ],
)
def test_arguments_without_a_result_are_refused(name: str, args: dict[str, Value]) -> None:
    with pytest.raises(ValueError, match=r"."):
        answer(f"std:index:{name}", args)
