"""Stack files as real stacks have them, and what the embedded backend is given in their place."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tapgate.embedded.aws_provider.marks import MARK
from tapgate.embedded.environment import stand_in_folder
from tapgate.embedded.stacks import (
    ENCRYPTED,
    SALT,
    SECRET,
    SECRET_KEY,
    SECRET_URL,
    EmbeddedStacks,
    adapted,
    embedded,
)
from tapgate.embedded.toolchain import find

if TYPE_CHECKING:
    from collections.abc import Mapping

CIPHERTEXT = "v1:XkLxTn5rCbFvYbXh:3p0fQeFZ0bqWvGc9ZqkJ3wz8V0w="
PROGRAM = """\
name: app
runtime: yaml
config:
  size: {type: integer, secret: true}
  on: {type: boolean, secret: true}
  sizes: {type: array, items: {type: integer}}
  database: {type: object}
  app:word: {type: string}
  hookUrl: {secret: true, type: string}
  privateKey: {secret: true, type: string}
outputs:
  key: "${privateKey}"
  url: "${hookUrl}"
  size: "${size}"
  on: "${on}"
  word: "${word}"
  sizes: "${sizes}"
  database: "${database}"
"""
STACK = f"""\
# A comment stays.
secretsprovider: awskms://alias/pulumi?region=us-east-1
encryptedkey: AQICAHjw
environment:
  - team/prod
encryptionsalt: v1:their:salt
config:
  aws:region: us-east-1
  app:size: {{secure: {CIPHERTEXT}}}
  app:on:
    secure: {CIPHERTEXT}
  app:word:
    secure: "{CIPHERTEXT}"
  app:hookUrl: {{secure: {CIPHERTEXT}}}
  app:privateKey: {{secure: {CIPHERTEXT}}}
  app:sizes: [1, {{secure: {CIPHERTEXT}}}]
  app:database:
    user: them
    password: {{secure: {CIPHERTEXT}}}
    replicas:
      - key: {{secure: {CIPHERTEXT}}}
"""


def test_what_leads_to_the_teams_keys_is_dropped_and_all_else_stays() -> None:
    adapted = embedded(STACK, PROGRAM)
    body = yaml.safe_load(adapted.text)
    assert (body["encryptionsalt"], body["secretsprovider"], body["encryptedkey"]) == (SALT, "", "")
    assert body["environment"] == []
    assert adapted.text.startswith("# A comment stays.\n")
    assert body["config"]["aws:region"] == "us-east-1"
    assert body["config"]["app:database"]["user"] == "them"
    assert CIPHERTEXT not in adapted.text
    environments, secrets = adapted.notes
    assert "Pulumi Cloud" in environments
    assert secrets.endswith(
        "stand in: app:size, app:on, app:word, app:hookUrl, app:privateKey, app:sizes, app:database"
    )


@pytest.mark.parametrize(
    ("file", "program", "declared", "value"),
    [
        ("__main__.py", "db = json.loads(config.require_secret('word'))", "", "{}"),
        (
            "__main__.py",
            "word = config.get_secret('word')\nword.apply(lambda w: json.loads(w))",
            "",
            "{}",
        ),
        ("__main__.py", "word: str = config.require('word')\ndb = json.loads(word)", "string", "{}"),
        ("__main__.py", "word = config.get_secret_object('word')", "", "{}"),
        ("__main__.py", "word = config.require_secret_int(\n    'word')", "", "1"),
        ("__main__.py", "word = config.get_secret_bool('word')", "", "true"),
        ("__main__.py", "host = urlparse(config.require('word')).hostname", "", SECRET_URL),
        ("index.ts", "const word = cfg.requireSecret('word');\nword.apply(w => JSON.parse(w));", "", "{}"),
        ("index.ts", "const n = cfg.requireSecretNumber('word');", "", "1"),
        ("Main.yaml", "variables:\n  a:\n    fn::fromJSON: ${word}", "", "{}"),
        ("__main__.py", "other = json.loads(text)\nword = config.require_secret('word')", "", SECRET),
        ("__main__.py", "word = config.require_secret_object('word')", "integer", "1"),
        ("__main__.py", "private_key = config.require_secret('word')", "", SECRET_KEY),
        ("__main__.py", "args(user='x', private_key=config.require_secret('word'))", "", SECRET_KEY),
        ("__main__.py", "word = config.require_secret('word')\nkey(private_key_pem=word)", "", SECRET_KEY),
        ("index.ts", "const word = cfg.requireSecret('word');\n({ privateKey: word })", "", SECRET_KEY),
        ("__main__.py", "private_key_id = config.require_secret('word')", "", SECRET),
        ("__main__.py", "word = config.require_secret('word')\nf(private_key=words)", "", SECRET),
    ],
)
def test_a_secret_stands_in_by_the_form_that_the_program_needs(
    tmp_path: Path, file: str, program: str, declared: str, value: str
) -> None:
    (tmp_path / file).write_text(program)
    project, stack = tmp_path / "Pulumi.yaml", tmp_path / "Pulumi.dev.yaml"
    config = f"config: {{word: {{type: {declared}}}}}\n" if declared else ""
    project.write_text(f"name: app\nruntime: python\n{config}")
    secret = f"{{secure: {CIPHERTEXT}}}"
    stack.write_text(f"config:\n  app:word: {secret}\n  app:hookUrl: {secret}\n")
    body = yaml.safe_load(adapted(stack, project).text)["config"]
    assert body["app:word"] == {"secure": ENCRYPTED[value]}
    assert body["app:hookUrl"] == {"secure": ENCRYPTED[SECRET_URL]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("privateKey", SECRET_KEY),
        ("deploy_private_key", SECRET_KEY),
        ("sshKey", SECRET_KEY),
        ("ca-pem", SECRET_KEY),
        ("apiKey", SECRET),
        ("privateKeyPassword", SECRET),
        ("hookUrl", SECRET_URL),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_secret_stands_in_by_what_its_name_says(
    tmp_path: Path,
    key: str,
    value: str,
    there: bool,  # noqa: FBT001
) -> None:
    """Whether the team's file has it or the program alone requires it."""
    project, stack = tmp_path / "Pulumi.yaml", tmp_path / "Pulumi.dev.yaml"
    project.write_text("name: app\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(f"import pulumi\nf(pulumi.Config().require_secret('{key}'))")
    if there:
        stack.write_text(f"config: {{app:{key}: {{secure: {CIPHERTEXT}}}}}\n")
    config = yaml.safe_load(adapted(stack, project).text)["config"]
    assert config == {f"app:{key}": {"secure": ENCRYPTED[value]}}


@pytest.mark.parametrize(
    "config", ["", "config:\n", "config:\n  app:there: b\n", "config: {app:there: b}\n"], ids=repr
)
def test_what_environments_give_comes_from_the_answers_or_stands_in(
    tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, file, answers = (tmp_path / name for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "answers.yaml"))
    project.write_text("name: app\nruntime: yaml\nconfig: {there: {}, asked: {}, more: {type: string}}\n")
    file.write_text(f"environment: [a]\n{config}")
    answers.write_text(
        "{version: 1, recorded: 2026-01-01, "
        "environment: {pulumiConfig: {asked: 'x: y', aws:region: r, there: 0}}}"
    )
    monkeypatch.setenv("TAPGATE_ANSWERS", str(answers))
    found = adapted(file, project)
    values = yaml.safe_load(found.text)["config"]
    assert (values["app:asked"], values["aws:region"]) == ("x: y", "r")
    assert values["app:there"] == ("b" if "there" in config else 0)
    assert MARK in values["app:more"]
    assert found.notes == (
        "of environments there is what the answers file says: app:asked, aws:region, app:there",
        "what they would give of the config that is required stands in: app:more",
    )


@pytest.mark.parametrize(
    "environment",
    ["environment: [a, b]\n", "environment:\n- a\n", "environment:\n  - a\n  - b: {c: d}\n\n\n"],
)
def test_environments_are_dropped_however_they_are_written(environment: str) -> None:
    for text in (f"{environment}config:\n  a:b: c\n", f"config:\n  a:b: c\n{environment}"):
        body = yaml.safe_load(embedded(text).text)
        assert body == {"config": {"a:b": "c"}, "environment": [], "encryptionsalt": SALT}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "{}\n",
        "null\n",
        "config: {}\n",
        "{config: {a:b: 1}}\n",
        '{"config": {"a:b": "1"}}',
        "---\nconfig:\n",
    ],
)
def test_a_file_without_a_salt_gets_one(text: str) -> None:
    body = yaml.safe_load(embedded(text).text)
    before: dict[str, object] = yaml.safe_load(text) or {}
    assert body == {**before, "encryptionsalt": SALT}


PLAIN = st.text("abcXYZ 0123456789:#{}[]'\"-_.,&*!|>%@`\n", max_size=20)
VALUES = st.recursive(
    PLAIN | st.integers() | st.booleans() | st.just({"secure": CIPHERTEXT}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=6,
)


def without_secrets(value: object) -> object:
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        if list(entries) == ["secure"] and isinstance(entries["secure"], str):
            return "a secret"
        return {key: without_secrets(one) for key, one in entries.items()}
    return [without_secrets(one) for one in cast("list[object]", value)] if isinstance(value, list) else value


@settings(max_examples=80)
@given(st.dictionaries(PLAIN.map("app:".__add__), VALUES, min_size=1, max_size=4), st.booleans())
def test_every_secret_is_replaced_and_nothing_else(config: dict[str, object], flow: bool) -> None:  # noqa: FBT001
    text = yaml.safe_dump({"config": config, "encryptedkey": "x"}, default_flow_style=flow)
    adapted = embedded(text, "name: app").text
    assert CIPHERTEXT not in adapted
    body = yaml.safe_load(adapted)
    assert without_secrets(body["config"]) == without_secrets(config)
    assert body["encryptedkey"] == ""


@pytest.mark.cli
def test_the_engine_opens_every_stand_in(engine_env: Mapping[str, str], tmp_path: Path) -> None:
    """Through the CLI that a prepared shell finds: no key of theirs is asked for, and their file stays."""
    root = tmp_path / "app"
    root.mkdir()
    (root / "Pulumi.yaml").write_text(PROGRAM)
    (root / "Pulumi.prod.yaml").write_text(STACK)
    folder = stand_in_folder(root, cli=find().folder / "pulumi")
    environment = {**engine_env, "PATH": f"{folder}:{engine_env['PATH']}"}

    def pulumi(*words: str) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=root, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    backend = Path(environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    EmbeddedStacks(backend).create("app", "prod")
    pulumi("up", "--yes", "--skip-preview", "--stack", "prod")
    said = yaml.safe_load(pulumi("stack", "output", "--json", "--show-secrets", "--stack", "prod"))
    assert (said["size"], said["on"], said["word"]) == (1, True, SECRET)
    assert said["url"] == SECRET_URL
    begin, *lines, end, name = said["key"].strip().splitlines()
    assert (begin, end, name) == ("-----BEGIN RSA PRIVATE KEY-----", begin.replace("BEGIN", "END"), SECRET)
    key = base64.b64decode("".join(lines), validate=True)
    assert key[:2] == b"\x30\x82"
    assert int.from_bytes(key[2:4]) == len(key) - 4
    assert said["sizes"] == [1, "1"]
    assert said["database"] == {"user": "them", "password": SECRET, "replicas": [{"key": SECRET}]}
    hidden = yaml.safe_load(pulumi("stack", "output", "--json", "--stack", "prod"))
    assert set(hidden.values()) == {"[secret]"}
    pulumi("preview", "--stack=prod")
    pulumi("stack", "select", "prod")
    pulumi("preview")
    assert (root / "Pulumi.prod.yaml").read_text() == STACK
    assert sorted(path.name for path in root.iterdir()) == ["Pulumi.prod.yaml", "Pulumi.yaml"]
