"""What stands in for config that a stack without a file would have to be given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER
from tapgate.embedded.program_text import required, stand_ins
from tapgate.embedded.program_uses import stand_in
from tapgate.embedded.stacks import adapted

DECLARED = """\
name: app
runtime: yaml
config:
  size: {type: string}
  given: {type: string, default: small}
  short: {value: 3}
  app:password: {type: string, secret: true}
  count: {type: integer}
  names: {type: array, items: {type: string}}
  aws:region: {type: string}
configuration:
  older: {type: String}
  many: {type: List<Number>}
"""
PYTHON = """\
import pulumi
from pulumi import Config

config = pulumi.Config()
other = Config("network")
config.require("size")
config.require_secret("password")
config.require_int("count")
size = int(config.require("converted"))
config.require_object("data")
config.get("optional")
config.require(name)
other.require("vpc")
pulumi.Config("aws").get("region")
pulumi.Config(pulumi.get_project()).require("direct")
something.require("else")


class Part:
    def __init__(self):
        self.config = pulumi.Config(name="part")
        self.config.require_bool("on")
"""


def test_what_a_project_declares_without_a_value_is_required(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(DECLARED)
    assert required(tmp_path / "Pulumi.yaml") == {
        "app:size": "string",
        "app:password": "secret",
        "app:count": "integer",
        "app:names": "array",
        "aws:region": "string",
        "app:older": "string",
        "app:many": "list<number>",
    }


def test_what_a_yaml_program_reads_and_nobody_declares_is_required(tmp_path: Path) -> None:
    uses = "'$${no}', '${ v }${r.id}${pulumi.stack}${db-password}${aws:username}${aws:region}'"
    program = f"variables: {{v: 1}}\nresources: {{r: {{properties: [{uses}]}}}}\n"
    (tmp_path / "Pulumi.yaml").write_text(f"{DECLARED}{program}")
    assert required(tmp_path / "Pulumi.yaml")["app:db-password"] == "string"
    assert len(required(tmp_path / "Pulumi.yaml")) == 8
    (tmp_path / "Main.yaml").write_text("outputs: {o: '${main-only}'}\n")
    assert "app:main-only" in required(tmp_path / "Pulumi.yaml")


def test_what_a_python_program_requires_is_found_in_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\nconfig: {size: {default: 3}}\n")
    (tmp_path / "__main__.py").write_text(PYTHON)
    (tmp_path / "broken.py").write_text("def")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "x.py").write_text("import pulumi\npulumi.Config().require('never')\n")
    assert required(tmp_path / "Pulumi.yaml") == {
        "app:password": "secret",
        "app:count": "int",
        "app:converted": "int",
        "app:data": "object",
        "network:vpc": "string",
        "aws:region": "string",
        "app:direct": "string",
        "part:on": "bool",
    }


def test_a_program_that_reads_its_region_is_given_one(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("import pulumi_aws as aws\nzone = aws.config.region + 'a'\n")
    assert required(tmp_path / "Pulumi.yaml") == {"aws:region": "string"}


@pytest.mark.parametrize("text", ["", "[", "runtime: python", "name: [a]\nruntime: {name: 3}\nconfig: [1]"])
def test_of_what_is_no_project_nothing_is_required(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)
    assert required(tmp_path / "Pulumi.yaml") == {}


@pytest.mark.parametrize("key", ["pathToContents", "siteDir", "assets_folder"])
def test_what_names_a_folder_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = Path(str(stand_in(f"app:{key}", "string", "")))
    (file,) = folder.iterdir()
    assert MARK in folder.name
    assert file.read_text().startswith(MARK)


def test_what_a_stack_s_file_lacks_of_what_is_required_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    project, stack = tmp_path / "Pulumi.yaml", tmp_path / "Pulumi.dev.yaml"
    project.write_text(DECLARED.replace("size:", "keyPath:"))
    found = adapted(stack, project)
    config = yaml.safe_load(found.text)["config"]
    assert config["aws:region"] == "eu-north-1"
    assert config["app:count"] == MARKED_NUMBER
    assert config["app:many"] == [MARKED_NUMBER] * 3
    assert all(one.startswith(MARK) for one in config["app:names"])
    assert config["app:older"].startswith(MARK)
    assert set(config["app:password"]) == {"secure"}
    file = Path(config["app:keyPath"])
    assert file.name.startswith(MARK)
    assert file.read_text().startswith(MARK)
    (note,) = found.notes
    assert note == (
        "Pulumi.dev.yaml is not there, so config that the program requires stands in: "
        "app:count, app:keyPath, app:many, app:names, app:older, app:password, aws:region"
    )
    stack.write_text("config: {aws:region: eu-west-1, app:count: 7}\n")
    completed = adapted(stack, project)
    assert yaml.safe_load(completed.text)["config"] == {**config, "aws:region": "eu-west-1", "app:count": 7}
    (note,) = completed.notes
    assert note == (
        "Pulumi.dev.yaml lacks config that the program requires, which stands in: "
        "app:keyPath, app:many, app:names, app:older, app:password"
    )
    stack.write_text(completed.text)
    assert adapted(stack, project).notes == ("secrets in the stack's config stand in: app:password",)


USED = """\
name: app
runtime: yaml
config:
  network: {type: object}
  sizes: {type: array, items: {type: integer}}
  rules: {type: string}
variables:
  parsed: {fn::fromJSON: "${rules}"}
outputs: {o: "${network.zones[1].name}${network.cidr}", p: {fn::select: [0, "${sizes}"]}, q: "${sizes[4]}"}
"""


def test_config_of_a_yaml_program_stands_in_as_the_program_takes_it_apart(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(USED)
    found = stand_ins(tmp_path / "Pulumi.yaml", "")
    network = cast("dict[str, Any]", found["app:network"])
    assert MARK in network["zones"][1]["name"]
    assert MARK in network["cidr"]
    assert found["app:sizes"] == [MARKED_NUMBER] * 5
    (key,) = cast("dict[str, str]", json.loads(str(found["app:rules"])))
    assert MARK in key


def test_a_number_is_marked_where_no_program_can_count_by_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    lines = ("f(days=config.require_int('days'))", "for i in range(config.require_int('count')): pass")
    lines = (*lines, "g(config.require_int('some'))", "x = config.require_int('both')\nf(n=x)\nrange(x)")
    (tmp_path / "__main__.py").write_text("\n".join(("config = pulumi.Config()", *lines)))
    found = stand_ins(tmp_path / "Pulumi.yaml", "")
    assert found == {"app:days": MARKED_NUMBER, "app:count": 1, "app:some": 1, "app:both": 1}
