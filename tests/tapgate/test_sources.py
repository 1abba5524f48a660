from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.findings import Location
from tapgate.project import find_project
from tapgate.sources import Sources, path_steps, urn_name, urn_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

YAML = """name: tap
runtime: yaml
resources:
  stack:
    type: tap:index:TapStack
  key:
    type: aws:kms:Key
    name: tap-key
    properties:
      enableKeyRotation: false
      tags:
        - a: 1
        - "b.c": 2
"""
STACK = "urn:pulumi:dev::tap::pulumi:pulumi:Stack::tap-dev"
COMPONENT = "urn:pulumi:dev::tap::tap:index:TapStack::stack"
TABLE = "urn:pulumi:dev::tap::tap:index:TapStack$aws:dynamodb/table:Table::table"
KEY = "urn:pulumi:dev::tap::aws:kms/key:Key::tap-key"


def document(**states: Mapping[str, object]) -> str:
    urns = {"component": COMPONENT, "table": TABLE, "key": KEY, "stack": STACK}
    return json.dumps({"steps": [{"urn": urns[name], "newState": state} for name, state in states.items()]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(YAML)
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "table.py").write_text("x\n")
    return tmp_path


def locate(folder: Path, text: str, urn: str, path: str = "") -> Location | None:
    return Sources(find_project(folder), text).locate(urn, path)


def test_the_first_position_inside_the_program_counts(folder: Path) -> None:
    state = {
        "sourcePosition": "project:///../../go/pkg/mod/x/server.go#316",
        "stackTrace": [
            {"sourcePosition": "odd"},
            {"sourcePosition": "project:///.venv/lib/python3.11/site-packages/pulumi/resource.py#9"},
            {"sourcePosition": "project:///program/none.py#3"},
            {"sourcePosition": "project:///program/table.py#42,7"},
        ],
        "parent": COMPONENT,
    }
    assert locate(folder, document(table=state), TABLE) == Location("program/table.py", 42)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 6),
        ("enableKeyRotation", 10),
        ("tags[1]", 13),
        ('tags[1]["b.c"]', 13),
        ("tags[9].x", 11),
        ("none", 6),
    ],
)
def test_a_yaml_program_is_searched_for_the_name_and_the_property(folder: Path, path: str, line: int) -> None:
    assert locate(folder, "", KEY, path) == Location("Pulumi.yaml", line)


def test_a_resource_inside_a_component_is_shown_at_the_component(folder: Path) -> None:
    text = document(table={"parent": COMPONENT}, component={"parent": STACK})
    assert locate(folder, text, TABLE, "x.y") == Location("Pulumi.yaml", 4, through="stack")


def test_nothing_is_made_up(folder: Path) -> None:
    assert locate(folder, document(stack={"parent": ""}), STACK) is None
    assert locate(folder, document(table={"parent": TABLE}), TABLE) is None
    (folder / "Pulumi.yaml").write_text("name: tap\nruntime: python\nresources: {tap-key: {}}")
    assert locate(folder, "", KEY) is None


def test_a_file_that_turned_unreadable_finds_nothing(folder: Path) -> None:
    project = find_project(folder)
    project.file.write_text("resources: [")
    assert Sources(project, "").locate(KEY, "") is None
    project.file.write_text("resources: [a]")
    assert Sources(project, "").locate(KEY, "") is None


def test_urns_are_taken_apart() -> None:
    assert (urn_name(TABLE), urn_type(TABLE)) == ("table", "aws:dynamodb/table:Table")
    assert urn_name("urn:pulumi:d::p::t::a::b") == "a::b"
    assert (urn_name("odd"), urn_type("odd")) == ("odd", "")


def test_paths_are_taken_apart() -> None:
    assert path_steps('rule[0].apply["a.b"].c') == ["rule", 0, "apply", "a.b", "c"]


@given(st.text(), st.text(), st.text())
def test_any_text_locates_or_does_not(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str, path: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-text"
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text(YAML)
    locate(folder, text, f"urn:pulumi:dev::tap::t::{name}", path)


@pytest.mark.parametrize(
    ("main", "file"),
    [("infra", "infra/Main.yaml"), ("infra", "infra/Pulumi.yaml"), ("infra/index.ts", "infra/Main.yaml")],
)
def test_a_yaml_program_in_a_folder_of_its_own_is_searched(tmp_path: Path, main: str, file: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: tap\nruntime: yaml\nmain: {main}\n")
    (tmp_path / "infra").mkdir()
    (tmp_path / file).write_text(YAML)
    (tmp_path / "infra" / "index.ts").touch()
    assert locate(tmp_path, document(), KEY, "enableKeyRotation") == Location(file, 10)


def test_the_program_s_own_file_goes_before_the_project_s(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(YAML)
    (tmp_path / "Main.yaml").write_text("\n\n" + YAML)
    assert locate(tmp_path, document(), KEY) == Location("Main.yaml", 8)
