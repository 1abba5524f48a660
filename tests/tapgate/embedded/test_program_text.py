"""What the text of a program tells of other stacks and of its config, in any language."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.program_text import (
    config_forms,
    files,
    imported,
    lookups,
    outputs,
    read_yaml,
    refers_to_stacks,
    stand_ins,
)
from tapgate.embedded.program_uses import formed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A line of a program, and what form it gives the outputs that it reads.
READS: Mapping[str, tuple[str, dict[str, object]]] = {
    "python": ("main.py", {'stack.require_output("vpcId")': "text", "stack.outputs['vpcId']": "text"}),
    "typescript": ("index.ts", {"stack.getOutput(`vpcId`)": "text", "stack.outputs.vpcId": "text"}),
    "go": ("main.go", {'ref.GetStringOutput(pulumi.String("vpcId"))': "text"}),
    "yaml": ("Pulumi.yaml", {"value: ${network.outputs.vpcId}": "text", "- fn::select: [vpcId]": "text"}),
    "indexed": ("main.py", {'ref.get_output("vpcId")[0]': "list", "ref.outputs['vpcId'][1]": "list"}),
    "fields": (
        "index.ts",
        {'ref.getOutput("vpcId")["id"]': ["id"], 'ref.outputs["vpcId"]["cidr"]': ["cidr"]},
    ),
}


def form(value: object) -> object:
    if isinstance(value, dict):
        return sorted(cast("dict[str, object]", value))
    return "list" if isinstance(value, list) else "text"


@pytest.mark.parametrize(
    ("file", "line", "wanted"),
    [(file, line, wanted) for file, lines in READS.values() for line, wanted in lines.items()],
)
def test_an_output_that_the_text_names_stands_in_in_the_form_that_it_needs(
    tmp_path: Path, file: str, line: str, wanted: object
) -> None:
    (tmp_path / file).write_text(f"{line}\n")
    value = outputs(tmp_path, "acme/network/prod")["vpcId"]
    assert form(value) == wanted
    assert MARK in str(value)


@pytest.mark.parametrize(
    "name", ["privateSubnetIds", "subnet_ids", "role-arns", "subnets", "availabilityZones"]
)
def test_a_name_that_means_several_is_a_list(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.py").write_text(f'x = ref.get_output("{name}")\n')
    assert form(outputs(tmp_path, "acme/network/prod")[name]) == "list"


@pytest.mark.parametrize("name", ["grids", "kids_id", "Subnet", "zone", "arn"])
def test_a_name_that_means_one_is_a_text(tmp_path: Path, name: str) -> None:
    (tmp_path / "main.py").write_text(f'x = ref.get_output("{name}")\n')
    assert form(outputs(tmp_path, "acme/network/prod")[name]) == "text"


@settings(max_examples=20)
@given(
    st.lists(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True), min_size=1, unique=True, max_size=8
    )
)
def test_every_name_stands_in_by_itself_and_the_same_each_time(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "named"
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text("".join(f'ref.get_output("{name}")\n' for name in names))
    found = outputs(folder, "acme/a/prod")
    assert set(names) <= set(found)
    assert outputs(folder, "acme/a/prod") == found
    others = outputs(folder, "acme/b/prod")
    values = [str(one[name]) for one in (found, others) for name in names]
    assert len(set(values)) == len(values)


def test_what_is_installed_or_built_beside_a_program_is_no_part_of_it(tmp_path: Path) -> None:
    for folder in ("node_modules", "venv", ".venv", "bin", "src"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "index.ts").write_text("new pulumi.StackReference('a')")
    for name, sign in (("pyenv", "pyvenv.cfg"), ("conda", "conda-meta/history")):
        (tmp_path / name / "lib").mkdir(parents=True)
        (tmp_path / name / "lib" / "index.ts").write_text("new pulumi.StackReference('a')")
        (tmp_path / name / sign).parent.mkdir(exist_ok=True)
        (tmp_path / name / sign).touch()
    assert [path.parent.name for path in files(tmp_path)] == ["src"]
    assert refers_to_stacks(tmp_path)
    (tmp_path / "src" / "index.ts").write_text("new aws.sqs.Queue('a')")
    assert not refers_to_stacks(tmp_path)
    # One that is there and cannot be read tells nothing, and hides nothing.
    (tmp_path / "gone.ts").symlink_to(tmp_path / "nowhere.ts")
    (tmp_path / "last.ts").write_text("stack_reference")
    assert refers_to_stacks(tmp_path)
    assert refers_to_stacks(tmp_path / "last.ts")


def test_modules_that_a_program_imports_are_found_wherever_they_stand_in_a_line(tmp_path: Path) -> None:
    text = (
        "import a.b as c, d\nfrom e.f import g, h\nif True:\n\timport i\nfrom . import j\nfrom .k import l\n"
    )
    (tmp_path / "__main__.py").write_text(text)
    assert imported(tmp_path) == {"a", "d", "e", "i"}


def test_of_very_many_files_the_first_are_read(tmp_path: Path) -> None:
    for number in range(2_010):
        (tmp_path / f"{number:04}.py").touch()
    assert [path.name for path in files(tmp_path)][-1] == "1999.py"


@pytest.mark.parametrize("text", ["a" * 1_000_000, '"' * 1_000_000, "a-" * 500_000, '["a"' * 250_000])
def test_what_no_one_wrote_by_hand_takes_no_longer(tmp_path: Path, text: str) -> None:
    """Bundled programs and their data: read once for each letter of a word, this takes hours."""
    (tmp_path / "bundle.js").write_text(f"{text}\nref.getOutput('vpcId')")
    assert len(outputs(tmp_path, "acme/network/prod")) < 10
    assert config_forms(tmp_path) == {}


@pytest.mark.parametrize("text", [b"", b"[1, 2]", b"a: [", b"\xff\xfe", b"2026-13-45"])
def test_what_is_no_project_file_says_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(text)
    assert read_yaml(tmp_path / "Pulumi.yaml") == {}
    assert read_yaml(tmp_path) == {}


def test_keys_of_a_project_file_are_texts(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("{2: a, on: b, null: c}")
    assert read_yaml(tmp_path / "Pulumi.yaml") == {"2": "a", "True": "b", "None": "c"}


FORMS: Mapping[str, Mapping[str, str]] = {
    'size = config.require_int("size")': {"size": "integer"},
    'const on = config.getBoolean("on");': {"on": "boolean"},
    'rate := cfg.RequireFloat64("rate")': {},
    'const rate = config.requireNumber("rate");': {"rate": "number"},
    'const all = config.requireSecretObject<string[]>("all");': {},
    'all = config.require_secret_object("all")': {"all": "object"},
    'tags = json.loads(config.require("tags"))': {"tags": "object"},
    'tags = config.require("tags")\nparsed = json.loads(tags)': {"tags": "object"},
    'tags = config.require_secret("tags")\ntags.apply(lambda it: json.loads(it))': {"tags": "object"},
    'const db = config.require("db");\nconst at = new URL(db);': {"db": "url"},
    'host = urlsplit(config.require("db")).hostname': {"db": "url"},
    "value: {fn::fromJSON: x}\nparsed:\n  fromJSON: ${shop:tags}": {"shop:tags": "object"},
    'name = config.require("name")': {},
}


@pytest.mark.parametrize("text", FORMS)
def test_the_form_of_config_that_a_program_reads(tmp_path: Path, text: str) -> None:
    (tmp_path / "main.py").write_text(text)
    assert config_forms(tmp_path) == FORMS[text]


# What a YAML program makes of an attribute, and what parts that then has.
TAKEN_APART: Mapping[str, str] = {
    "{fn::split: [/, '${cluster.identities[0].oidcs[0].issuer}']}": "/",
    "{Fn::Split: [':', '${cluster.issuer}']}": ":",
    "{fn::invoke: {function: std:split, return: result, arguments: {separator: /, text: '${a.issuer}'}}}": (
        "/"
    ),
    "{fn::std:split: {separator: /, text: '${a.issuer}'}}": "/",
}


@pytest.mark.parametrize("value", TAKEN_APART)
def test_what_a_yaml_program_splits_has_the_parts_that_it_reads(tmp_path: Path, value: str) -> None:
    host = "${parts.result[4]}" if "fn::std" in value else "${parts[4]}"
    program = f"name: app\nruntime: yaml\nvariables: {{parts: {value}}}\noutputs: {{host: '{host}'}}\n"
    (tmp_path / "Pulumi.yaml").write_text(program)
    parts = str(formed(lookups(tmp_path).forms["issuer"], "issuer")).split(TAKEN_APART[value])
    assert len(parts) == 5
    assert all(MARK in part for part in parts)


def test_what_a_yaml_program_selects_or_decodes_can_be(tmp_path: Path) -> None:
    program = """\
name: app
runtime: yaml
config: {subnets: {type: string}}
variables:
  third: {fn::select: [2, {fn::split: [",", "${subnets}"]}]}
  data: {fn::fromBase64: "${cluster.certificateAuthority.data}"}
"""
    (tmp_path / "Pulumi.yaml").write_text(program)
    subnets = stand_ins(tmp_path / "Pulumi.yaml", "")["app:subnets"]
    assert [MARK in part for part in str(subnets).split(",")] == [True] * 3
    assert MARK in base64.b64decode(str(formed(lookups(tmp_path).forms["data"], "data"))).decode()
