from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.sources import property_line

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """key = make(
    aws.kms.Key(
        "tap-key",
        enable_key_rotation=False,
        tags={
            "a.b": 1,
            "innerName": 2,
        },
        rules=[
            Rule(days=1),
            {"apply_server_side": {"sse_algorithm": "x"}},
        ],
        **more,
    )
)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (["enableKeyRotation"], 4),
        (["tags"], 5),
        (["tags", "a.b"], 6),
        (["tags", "innerName", "deeper"], 7),
        (["rules", 0, "days"], 10),
        (["rules", 1, "applyServerSide", "sseAlgorithm"], 11),
        (["rules", 7], 9),
        (["none"], None),
        ([], None),
    ],
)
def test_the_deepest_part_that_is_written_out(
    program: Path, steps: list[str | int], line: int | None
) -> None:
    assert property_line(program, 2, steps) == line


def test_a_line_without_a_call_and_files_that_are_no_program(program: Path, tmp_path: Path) -> None:
    assert property_line(program, 99, ["tags"]) is None
    assert property_line(tmp_path / "none.py", 1, ["tags"]) is None
    assert property_line(tmp_path / "index.ts", 1, ["tags"]) is None
    program.write_text("def (")
    assert property_line(program, 1, ["tags"]) is None


@given(st.text(), st.lists(st.text() | st.integers(0, 3), min_size=1))
def test_any_text_is_searched(
    tmp_path_factory: pytest.TempPathFactory, text: str, steps: list[str | int]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.py"
    file.write_text(text, errors="replace")
    property_line(file, 1, steps)
