"""What is evaluated does not choose its evaluate: packs, engine options, plug-ins, configs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapgate.cli import main
from tapgate.engine import quiet_environment, take_out_steering
from tapgate.findings import CouldNotRunError
from tapgate.floor import read_floor
from tapgate.project import OPERATORS_CHOICES, check_choices, check_stack_config, find_project
from tapgate.reports.markdown import prose
from tests.policypack.harness.trees import day

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
LONG = "a" * 90 + "c"
KEYS = f"""\
name: bad
runtime: yaml
resources:
  key: {{type: "aws:kms:Key"}}
  {LONG}: {{type: "aws:kms:Key"}}
  good: {{type: "aws:kms:Key", properties: {{enableKeyRotation: true}}}}
"""
TERMS = {"owner": "x", "reason": "Because we want it to be so.", "finding": "enableKeyRotation"}
DAYS = {"granted": day(-1), "expires": day(30)}
# What a stack's own configuration says to let everything stand, and what is said of it.
OWN_WAIVERS = {
    "everything, for ever": (
        {"urn": "*::*", "expires": day(360), "owner": "x", "reason": "x"}, "lacks `finding`, `granted`"),
    "everything, in full": ({"urn": "*::*", **TERMS, **DAYS}, "has a `urn` with `*` in both type and name"),
    "everything of a package": ({"urn": "aws:*::*", **TERMS, **DAYS}, "with `*` in both type and name"),
    "each key": ({"urn": "aws:kms/key:Key::*", **TERMS, **DAYS}, "which may not waive this policy"),
    "a name that looks alike": (
        {"urn": "aws:kms/key:Key::k\u0435y", **TERMS, **DAYS}, "letters beyond ASCII, which may look like"),
    "a pattern that hangs": (
        {"urn": "*a*a*a*a*a*a*a*a::*a*a*a*a*a*a*a*a*b", **TERMS, **DAYS}, "`*` in both type and name"),
    "another one": (
        {"urn": f"aws:kms/key:Key::{'*a' * 40}*b", **TERMS, **DAYS}, "which may not waive this policy"),
    "and in the whole URN": (
        {"urn": f"urn:pulumi:{'*d' * 9}::{'*b' * 9}::aws:kms/key:Key::{'*a' * 40}*b", **TERMS, **DAYS},
        "which may not waive this policy"),
}  # fmt: skip
PACK = """\
from pulumi_policy import PolicyPack, ResourceValidationPolicy

PolicyPack("tap-guardrails", policies=[
    ResourceValidationPolicy(name="kms-key-rotation", description="x", validate=lambda args, report: None)
])
"""


def gate(project: Path, environment: Mapping[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tapgate", "preview", *more],
        cwd=project,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.cli
@pytest.mark.uncounted
def test_neither_the_projects_pack_nor_the_environment_changes_the_judge(
    engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    """One run: own waivers, the project's own pack, options for another pack, a config and other targets."""
    (tmp_path / "Pulumi.yaml").write_text(KEYS)
    entries = [{"policy": "kms-key-rotation", **waiver} for waiver, _ in OWN_WAIVERS.values()]
    stack_file = yaml.safe_dump({"config": {"tap-guardrails:waivers": entries}})
    (tmp_path / "Pulumi.dev.yaml").write_text(stack_file)
    own = tmp_path / "policypack"
    own.mkdir()
    (own / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 9.9.9\n")
    (own / "__main__.py").write_text(PACK)
    (tmp_path / "off.json").write_text('{"all": "disabled"}')
    steered = {
        "PULUMI_OPTION_POLICY_PACK_CONFIG": str(tmp_path / "off.json"),
        "PULUMI_OPTION_POLICY_PACK": str(own),
        "PULUMI_OPTION_TARGET": "urn:pulumi:dev::bad::aws:kms/key:Key::good",
        "PULUMI_DEBUG_PROVIDERS": "aws:1",
    }
    reports = {
        name: tmp_path / f"report.{name}" for name in ("verdict", "html", "sarif", "junit", "markdown")
    }
    targets = [word for name, path in reports.items() for word in (f"--{name}", str(path))]
    start = time.monotonic()
    blocked = gate(tmp_path, {**engine_env, **steered}, *targets)
    assert time.monotonic() - start < 60
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    assert blocked.stdout.count("BLOCKED  kms-key-rotation") == 2
    said = " ".join(blocked.stdout.split())
    assert "the project's own policypack/ is not evaluated" in said
    for name in steered:
        assert f"{name} is left out of the engine's environment" in said
    (stack,) = json.loads(reports["verdict"].read_text())["stacks"]
    (pack,) = stack["packs"]
    assert pack["path"] == str(ROOT / "policypack")
    assert pack["config"].startswith(f"{ROOT / 'guardrails' / 'policy-config.yaml'} (sha256 ")
    about_waivers = [one for one in stack["findings"] if one["policy"] == "waiver-in-force"]
    assert len(about_waivers) == len(entries)
    for number, (_, words) in enumerate(OWN_WAIVERS.values()):
        (one,) = [one for one in about_waivers if one["property"] == f"tap-guardrails:waivers[{number}]"]
        assert one["blocks"]
        assert words in one["summary"]
    floor = read_floor(None).identity
    assert stack["guardrails"] == {
        "folder": floor.folder, "version": floor.version, "digest": floor.digest, "team": ""
    }  # fmt: skip
    for path in (reports["html"], reports["sarif"], reports["junit"]):
        assert str(floor) in path.read_text(), path
    assert f"Guardrails: {prose(str(floor))}" in reports["markdown"].read_text()
    assert str(floor) in " ".join(" ".join(blocked.stdout.splitlines()[-6:]).split())


def test_a_variable_that_steers_the_engine_never_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_OPTION_PARALLEL", "1")
    monkeypatch.setenv("PULUMI_DEBUG_GRPC", "/x")
    assert {name for name in quiet_environment() if name.startswith(("PULUMI_OPTION_", "PULUMI_DEBUG_"))} == {
        "PULUMI_DEBUG_COMMANDS"
    }
    assert "PULUMI_OPTION_PARALLEL" in os.environ
    monkeypatch.setenv("PULUMI_ENABLE_STREAMING_JSON_PREVIEW", "1")  # It hides what leaves the program.
    assert "PULUMI_ENABLE_STREAMING_JSON_PREVIEW" not in quiet_environment()
    left_out = ["PULUMI_IGNORE_AMBIENT_PLUGINS", "PULUMI_OPTION_"]
    variables = dict.fromkeys([*left_out, "PULUMI_OPTIONS", "PULUMI_HOME"], "x")
    notes = take_out_steering(variables)
    assert [note.partition(" is left out")[0] for note in notes] == left_out
    assert sorted(variables) == ["PULUMI_HOME", "PULUMI_OPTIONS"]


CHOICES = {
    "plugins": [
        {"plugins": {"languages": [{"name": "python", "path": "./evil"}]}},
        {"Plugins": {"providers": [{"name": "aws", "path": "./evil"}]}},
        {"plugins": {"analyzers": [{"name": "policy", "path": "x"}]}},
    ],
    "compiler": [
        {"runtime": {"name": "yaml", "options": {"compiler": "./evil"}}},
        {"runtime": {"name": "yaml", "options": {"Compiler": "cue export"}}},
    ],
    "pluginDownloadURL": [
        {"resources": {"k": {"type": "x:y:Z", "options": {"pluginDownloadURL": "https://evil"}}}},
        {"resources": {"p": {"type": "pulumi:providers:aws", "options": {"PluginDownloadUrl": "x"}}}},
        {"variables": {"v": {"fn::invoke": {"function": "x", "options": {"pluginDownloadURL": "x"}}}}},
        {"packages": [{"name": "x", "pluginDownloadURL": "x"}]},
    ],
}


@pytest.mark.parametrize(
    ("key", "body"), [(key, body) for key, bodies in CHOICES.items() for body in bodies], ids=str
)
def test_what_the_operator_has_to_decide_is_refused(
    tmp_path: Path, key: str, body: dict[str, object]
) -> None:
    file = tmp_path / "Pulumi.yaml"
    file.write_text(yaml.safe_dump({"name": "x", "runtime": "yaml", **body}))
    project = find_project(tmp_path)
    with pytest.raises(CouldNotRunError) as refused:
        check_choices(project)
    assert key in refused.value.what
    assert refused.value.where == str(file)
    assert refused.value.why == OPERATORS_CHOICES[key]
    assert f"--allow-in-project {key}" in refused.value.fix
    check_choices(project, [key])


@pytest.mark.parametrize("name", ["aws", "aws-native"])
@pytest.mark.parametrize("where", ["", "parts/PulumiPlugin.json", "team/PulumiPlugin.yaml"])
def test_no_folder_takes_the_name_of_a_known_provider(tmp_path: Path, name: str, where: str) -> None:
    """The project's own package, or one that a package of it has, whose file may be above its folder."""
    (tmp_path / "evil").mkdir()
    (tmp_path / "parts" / "team").mkdir(parents=True)
    (tmp_path / "team").mkdir()
    replaced: object = {name: {"source": "./evil@1.0.0"}}
    body: dict[str, object] = {"name": "x", "runtime": "yaml", "packages": replaced}
    if where:
        body["packages"] = {"team": f"./{'parts/team' if 'parts' in where else 'team'}"}
        (tmp_path / where).write_text(json.dumps({"runtime": "python", "packages": {name: "evil"}}))
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(body))
    project = find_project(tmp_path)
    with pytest.raises(CouldNotRunError, match=rf"`packages\.{name}`") as refused:
        check_choices(project)
    assert "--allow-in-project plugins" in refused.value.fix
    check_choices(project, ["plugins"])


# What the engine takes for one: of JSON every spelling of a key, of YAML a word that others take for true.
SPELT = {
    "Pulumi.json": [
        '"packages": {}, "Packages": {"aws": "./on"}',
        '"packages": {"aws": {"source": "./none", "Source": "./on"}}',
        '"plugins": null, "PLUGINS": {"providers": []}',
    ],
    "Pulumi.yaml": ["packages: {aws: on}", "packages: {aws: {source: on}}", "packages: {<<: {aws: on}}"],
}


@pytest.mark.parametrize(
    ("file", "body"), [(file, body) for file, bodies in SPELT.items() for body in bodies]
)
def test_no_spelling_hides_what_the_engine_reads(tmp_path: Path, file: str, body: str) -> None:
    (tmp_path / "on").mkdir()
    text = (
        f'{{"name": "x", "runtime": "yaml", {body}}}'
        if file == "Pulumi.json"
        else f"name: x\nruntime: yaml\n{body}\n"
    )
    (tmp_path / file).write_text(text)
    with pytest.raises(
        CouldNotRunError, match=r"decides what the operator has to: `(?:plugins|packages\.aws)`"
    ):
        check_choices(find_project(tmp_path))


def test_of_several_project_files_the_one_is_read_that_the_engine_takes(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yml").write_text("name: last\nruntime: yaml\n")
    assert find_project(tmp_path).name == "last"
    (tmp_path / "Pulumi.yaml").write_text("name: second\nruntime: yaml\n")
    assert find_project(tmp_path).name == "second"
    (tmp_path / "Pulumi.json").write_text('{"name": "first", "runtime": "yaml", "plugins": {"x": []}}')
    with pytest.raises(CouldNotRunError) as refused:
        check_choices(find_project(tmp_path))
    assert refused.value.where == str(tmp_path / "Pulumi.json")


def test_a_program_in_a_file_of_its_own_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: yaml\nmain: stack\n")
    (tmp_path / "stack").mkdir()
    program = tmp_path / "stack" / "Main.yaml"
    program.write_text("resources: {k: {type: a:b:C, options: {pluginDownloadURL: x}}}\n")
    with pytest.raises(CouldNotRunError) as refused:
        check_choices(find_project(tmp_path))
    assert refused.value.where == str(program)


URL = "downloadUrl: https://evil.example"


@pytest.mark.parametrize(
    ("what", "declaration"),
    [
        ("downloadUrl", f"packageDeclarationVersion: 1\nname: x\n{URL}\n"),
        ("downloadUrl", f'"package\\u0044eclarationVersion": 1\nname: x\n{URL}\n---\n: more: [\n'),
        ("downloadUrl", f'? "package\\\n  DeclarationVersion"\n: 1\nname: x\n{URL}\n'),
        ("downloadUrl", f"a: &a {{packageDeclarationVersion: 1, {URL}}}\n<<: *a\n"),
        ("downloadUrl", "packageDeclarationVersion: 1\nname: aws\ndownloadUrl: git://example.com/x\n"),
        ("parameterization.name", "packageDeclarationVersion: 1\nparameterization: {name: aws}\n"),
        ("extension.name", "packageDeclarationVersion: 1\nname: x\nextension: {name: aws-native}\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_a_package_is_declared_to_be_decides_no_more(
    tmp_path: Path, what: str, declaration: str, encoding: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: yaml\n")
    (tmp_path / "sdks" / "x").mkdir(parents=True)
    file = tmp_path / "sdks" / "x" / "x.yaml"
    file.write_text(declaration, encoding)
    with pytest.raises(CouldNotRunError, match=rf"the operator has to: `{what}`") as refused:
        check_choices(find_project(tmp_path))
    assert refused.value.where == str(file)
    file.write_text(declaration.replace("Version", "").replace(what.partition(".")[0], "other"), encoding)
    check_choices(find_project(tmp_path))
    file.write_text("packageDeclarationVersion: 1\nname: x\ndownloadUrl: git://example.com/x\n")
    check_choices(find_project(tmp_path))


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ("environmentVariables: {REGION: x, PULUMI_DEBUG_PROVIDERS: 'aws:1'}", ".PULUMI_DEBUG_PROVIDERS"),
        ("environmentVariables: {PATH: './evil:/usr/bin'}", ".PATH"),
        ("{a: {PATH: ./evil}, environmentVariables: '${a}'}", ""),
        ("environmentVariables: {fn::fromBase64: e30=}", ".fn::fromBase64"),
        ("files: {LD_PRELOAD: evil}", ".LD_PRELOAD"),
        ("{pulumiConfig: {PATH: x}, environmentVariables: {AWS_REGION: x, GITHUB_TOKEN: x}}", None),
        ("environmentVariables:", None),
    ],
)
def test_an_environment_of_pulumi_cloud_sets_no_variable_of_the_engine(
    tmp_path: Path, values: str, what: str | None
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: yaml\n")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(f"environment:\n  imports: [a]\n  values:\n    {values}\n")
    if what is None:
        check_stack_config(find_project(tmp_path), "dev")
        return
    entry = "files" if "files" in values else "environmentVariables"
    with pytest.raises(CouldNotRunError) as refused:
        check_stack_config(find_project(tmp_path), "dev")
    assert f"the operator has to: `environment.values.{entry}{what}`" in refused.value.what
    assert refused.value.where == str(file)


@pytest.mark.parametrize(
    "body",
    [
        "plugins: {}\n",
        "runtime: {name: python, options: {virtualenv: .venv, toolchain: uv}}\n",
        "description: plugins and pluginDownloadURL\n",
        "packages: {tap: ./program}\n",
    ],
)
def test_what_decides_nothing_is_let_through(tmp_path: Path, body: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: x\n{body}" + ("" if "runtime" in body else "runtime: python\n")
    )
    check_choices(find_project(tmp_path))


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "604800", "soon"])
def test_a_limit_that_is_none_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["preview", f"--timeout={seconds}"])
    assert refused.value.code == 2
    assert f"argument --timeout: found: {seconds}. Required: seconds, more than 0" in capsys.readouterr().err
