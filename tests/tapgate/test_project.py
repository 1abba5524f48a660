from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.cli import main
from tapgate.findings import CouldNotRunError
from tapgate.project import Project, check_stack_config, check_stack_name, find_project, require_bounded

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, body: str, **stacks: str) -> Project:
    (folder / "Pulumi.yaml").write_text(body)
    for name, text in stacks.items():
        (folder / f"Pulumi.{name}.yaml").write_text(text)
    return find_project(folder)


TYPED = """name: tap
runtime: {name: python}
config: {days: {type: integer}, 'tap:suffix': {type: string}, 'aws:region': x}
"""


def test_a_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    written(tmp_path, TYPED, dev="", prod="")
    project = find_project(inside)
    assert (project.name, project.runtime, project.folder) == ("tap", "python", tmp_path)
    assert project.declared == {"days", "suffix"}
    assert project.known_stacks() == ["dev", "prod"]
    assert project.stack_file("org/tap/dev") == tmp_path / "Pulumi.dev.yaml"


def test_the_stacks_files_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    project = written(tmp_path, "name: x\nruntime: yaml\nstackConfigDir: stacks")
    assert project.stack_file("dev") == tmp_path / "stacks" / "Pulumi.dev.yaml"
    assert project.runtime == "yaml"


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRunError, match="There is no Pulumi project"):
        find_project(tmp_path)


def test_a_folder_that_is_not_there_is_not_taken_for_one_above_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: above\nruntime: yaml\n")
    with pytest.raises(CouldNotRunError, match="There is no such folder"):
        find_project(tmp_path / "misspelt")


@pytest.mark.parametrize("body", ["a: [", "- a list", b"\xff\xfe\x00"])
def test_an_unreadable_project_file(tmp_path: Path, body: str | bytes) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes(body if isinstance(body, bytes) else body.encode())
    with pytest.raises(CouldNotRunError, match="The project file cannot be read"):
        find_project(tmp_path)


@pytest.mark.parametrize("rest", [b"", b"abc", b"\xff\xfe\x00"])
def test_a_file_that_git_crypt_has_encrypted_is_called_that(tmp_path: Path, rest: bytes) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_bytes(b"\0GITCRYPT\0" + rest)
    with pytest.raises(CouldNotRunError, match="The stack's config file cannot be read") as raised:
        check_stack_config(find_project(tmp_path), "dev")
    said = f"{raised.value.why} {raised.value.fix}"
    assert "git-crypt has encrypted it" in said
    assert "`git-crypt unlock`" in said
    assert "YAML" not in said


@pytest.mark.parametrize("name", ["dev", "TapStackpr12", "org/dev", "org/proj/dev", "a.b_c-d"])
def test_legal_stack_names(name: str) -> None:
    check_stack_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/../b", "a/b/c/d", "a b", "-" * 101, "a\n", "ü", "a//b"]
)
def test_illegal_stack_names(name: str) -> None:
    with pytest.raises(CouldNotRunError, match="is not a stack name"):
        check_stack_name(name)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "config: {tap:days: 3, suffix: x, aws:region: eu-west-2, aws-native:region: x}",
        "encryptionsalt: v1:x\nsecretsprovider: passphrase",
    ],
)
def test_config_that_is_spelt_right(tmp_path: Path, body: str) -> None:
    check_stack_config(written(tmp_path, TYPED, dev=body), "dev")
    check_stack_config(written(tmp_path, TYPED, dev=body), "none")


@pytest.mark.parametrize(
    ("body", "fix"),
    [
        ("config: {tap:dayz: 3}", "write 'tap:days'"),
        ("config: {dayz: 3}", "write 'days'"),
        ("config: {tpa:days: 3}", "write 'tap:days'"),
        ("config: {tap:zzzzzzzzzz: 3}", "remove it, or use one of: tap:days, tap:suffix"),
        ("confg: {}", "write 'config'"),
    ],
)
def test_misspelt_config_is_refused_with_what_was_meant(tmp_path: Path, body: str, fix: str) -> None:
    with pytest.raises(CouldNotRunError, match="means nothing") as caught:
        check_stack_config(written(tmp_path, TYPED, dev=body), "dev")
    assert caught.value.fix.startswith(fix)
    assert caught.value.where.endswith("Pulumi.dev.yaml")


@pytest.mark.parametrize("ending", ["json", "yml"])
def test_config_that_the_engine_alone_reads_is_refused(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"Pulumi.{ending}").write_text('{"name": "x", "runtime": "yaml", "stackConfigDir": "stacks"}')
    file = tmp_path / "stacks" / f"Pulumi.live.{ending}"
    file.parent.mkdir()
    file.touch()
    project = find_project(tmp_path)
    assert project.known_stacks() == ["live"]
    check_stack_config(project, "dev")
    with pytest.raises(CouldNotRunError, match="not read here") as caught:
        check_stack_config(project, "org/x/live")
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    ("project", "key", "right"),
    [
        ("tap-stack", "tap:days", False),
        ("tap-stack", "other:days", True),
        ("aws-network", "aws:days", True),
        ("tap-stack", "tap:other", True),
    ],
)
def test_a_namespace_that_cuts_the_project_s_name_short_is_misspelt(
    tmp_path: Path,
    project: str,
    key: str,
    right: bool,  # noqa: FBT001
) -> None:
    found = written(tmp_path, TYPED.replace("name: tap", f"name: {project}"), dev=f"config: {{{key}: 3}}")
    if right:
        check_stack_config(found, "dev")
        return
    with pytest.raises(CouldNotRunError, match="means nothing") as caught:
        check_stack_config(found, "dev")
    assert caught.value.fix == "write 'tap-stack:days'."


def test_a_project_that_declares_nothing_takes_any_key_of_its_own(tmp_path: Path) -> None:
    check_stack_config(written(tmp_path, "name: tap\nruntime: python", dev="config: {tap:x: 1, y: 2}"), "dev")


@pytest.mark.parametrize(
    ("runtime", "file", "line"),
    [
        ("python", "resources/service.py", "config.require_secret('zone')"),
        ("nodejs", "index.ts", 'config.get("zone")'),
        ("yaml", "Pulumi.yaml", "outputs: {a: 'x-${zone}'}"),
    ],
)
def test_what_the_program_reads_need_not_be_declared(
    tmp_path: Path, runtime: str, file: str, line: str
) -> None:
    top = f"name: tap\nruntime: {runtime}\nconfig: {{size: {{type: integer}}}}\n"
    project = written(tmp_path, top, dev="config: {tap:zone: a}")
    installed = tmp_path / "node_modules" / "config.ts"
    installed.parent.mkdir()
    installed.write_text('config.get("zone")\n')
    with pytest.raises(CouldNotRunError, match="'tap:zone' means nothing"):
        check_stack_config(project, "dev")
    (tmp_path / file).parent.mkdir(exist_ok=True)
    with (tmp_path / file).open("a") as program:
        program.write(f"{line}\n")
    check_stack_config(project, "dev")


@given(st.text(), st.text())
def test_any_file_is_taken_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, top: str, stack: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "Pulumi.dev.yaml").write_text(stack, errors="surrogatepass")
    with contextlib.suppress(CouldNotRunError):
        check_stack_config(written(folder, "name: x\nruntime: yaml\n"), "dev")
        written(folder, top.encode("utf-8", "replace").decode())


@pytest.mark.parametrize("body", ["~: x\n", "1: x\n", "config: {~: x}\n", "config: {1: x}\n"])
def test_a_key_that_is_no_text_is_refused_in_words(tmp_path: Path, body: str) -> None:
    project = written(tmp_path, "name: x\nruntime: yaml\nconfig: {size: {type: integer}}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(body)
    with pytest.raises(CouldNotRunError, match="means nothing"):
        check_stack_config(project, "dev")


LAUGHS = "variables:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
ENDLESS = {
    LAUGHS: "more than 1,000,000 values",
    "variables: {a: &a [*a]}\n": "contains itself",
    "variables: {a: &a {b: [c, *a]}}\n": "contains itself",
    f"variables: {'[' * 3_000}{']' * 3_000}\n": "nested deeper",
}


@pytest.mark.parametrize("file", ["Pulumi.yaml", "Pulumi.dev.yaml", "sub/Main.yaml"])
@pytest.mark.parametrize("body", ENDLESS)
def test_yaml_without_end_is_refused_before_it_is_read(
    tmp_path: Path, file: str, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sub").mkdir()
    head = "name: x\nruntime: yaml\nmain: sub\n"
    (tmp_path / "Pulumi.yaml").write_text(head)
    (tmp_path / "sub" / "Main.yaml").write_text("resources: {}\n")
    (tmp_path / file).write_text((head if file == "Pulumi.yaml" else "") + body)
    assert main(["preview", "-C", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert ENDLESS[body] in said
    assert str(tmp_path / file) in said


# To the engine `plugins`, a folder, and what is merged; to other readers a text of bytes, a set, and `<<`.
TAGS = (
    "!!binary cGx1Z2lucw==: {providers: [{name: aws, path: ./evil}]}\n",
    "packages: {aws: !!binary Li9ldmls}\n",
    "packages: !!set {aws: ./evil}\n",
    "! <<: {packages: {aws: ./evil}}\n",
)


@pytest.mark.parametrize("file", ["Pulumi.yaml", "sub/Main.yaml", "evil/PulumiPlugin.yaml"])
@pytest.mark.parametrize("body", TAGS)
def test_a_tag_by_which_others_read_something_else_is_refused(
    tmp_path: Path, file: str, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("sub", "evil"):
        (tmp_path / folder).mkdir()
    head = "name: x\nruntime: yaml\nmain: sub\n"
    (tmp_path / "Pulumi.yaml").write_text(head + ("packages: {own: ./evil}\n" if "evil/" in file else ""))
    (tmp_path / "sub" / "Main.yaml").write_text("resources: {}\n")
    (tmp_path / file).write_text((head if file == "Pulumi.yaml" else "") + body)
    assert main(["preview", "-C", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "it has the tag" in said
    assert str(tmp_path / file) in said


def test_a_link_to_what_never_ends_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\nconfig: {size: {default: 1}}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {x:other: 1}\n")
    (tmp_path / "endless.py").symlink_to("/dev/zero")
    with pytest.raises(CouldNotRunError, match="'x:other' means nothing"):
        check_stack_config(find_project(tmp_path), "dev")


def test_aliases_that_are_worth_it_are_taken(tmp_path: Path) -> None:
    body = "name: x\nruntime: yaml\nvariables:\n  a: &a {b: [1, 2]}\n  c: [*a, *a, {<<: *a}]\n"
    (tmp_path / "Pulumi.yaml").write_text(body)
    require_bounded(tmp_path)
