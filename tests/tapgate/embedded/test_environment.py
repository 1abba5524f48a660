"""The prepared environment: what it adds, and above all what it keeps away."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.embedded.console import Failure
from tapgate.embedded.environment import (
    PASSPHRASE,
    acting_providers,
    applied,
    changes_for,
    is_stand_in_folder,
    rehearsal_changes,
    require_login,
    stand_in_folder,
    state_folder,
)
from tapgate.embedded.paths import checkout_folder
from tapgate.embedded.toolchain.search import Cli

pytestmark = pytest.mark.usefixtures("cache")

CLI = Cli(Path("/opt/pulumi/bin"), "3.300.0", "for a test")
SUFFIXES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", min_size=1, max_size=24)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def prepared(**base: str) -> dict[str, str]:
    environment = {"PATH": "/usr/bin:/bin", **base}
    return applied(changes_for("embedded", CLI, environment), environment)


def entries(environment: dict[str, str]) -> list[str]:
    return environment["PATH"].split(os.pathsep)


def test_the_stand_in_goes_before_everything_on_path() -> None:
    path = entries(prepared(PATH="/usr/bin:/opt/pulumi/bin:/usr/local/bin"))
    assert path[0] == str(stand_in_folder(cli=CLI.folder / "pulumi"))
    assert path[1] == "/opt/pulumi/bin"
    assert path[-2:] == ["/usr/bin", "/usr/local/bin"]
    assert len(path) == len(set(path))


def test_preparing_twice_changes_nothing_more() -> None:
    once = prepared(HOME="/home/somebody", AWS_REGION="eu-west-2")
    assert applied(changes_for("embedded", CLI, once), once) == once


def test_the_backend_is_outside_the_checkout_and_the_users_own_is_left_out() -> None:
    environment = prepared(
        PULUMI_ACCESS_TOKEN="pul-secret",
        PULUMI_BACKEND_URL="s3://their-state",
        PULUMI_CONFIG_PASSPHRASE="theirs",
        PULUMI_CONFIG_PASSPHRASE_FILE="/home/somebody/passphrase",
        PULUMI_IGNORE_AMBIENT_PLUGINS="true",
        PULUMI_DIY_BACKEND_GZIP="true",
    )
    assert environment["PULUMI_BACKEND_URL"] == f"file://{state_folder()}"
    assert state_folder().is_dir()
    assert Path(environment["PULUMI_HOME"]).is_dir()
    assert environment["PULUMI_CONFIG_PASSPHRASE"] == PASSPHRASE
    assert environment["PULUMI_SKIP_UPDATE_CHECK"] == "true"
    for name in (
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_IGNORE_AMBIENT_PLUGINS",
        "PULUMI_DIY_BACKEND_GZIP",
    ):
        assert name not in environment


def test_an_emulators_state_is_kept_apart(tmp_path: Path) -> None:
    environment = prepared(TAP_EMULATOR_STATE=str(tmp_path / "stacks"))
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/stacks"
    assert (tmp_path / "stacks").is_dir()


@given(st.dictionaries(SUFFIXES.map("AWS_".__add__), TEXTS))
def test_nothing_of_an_account_gets_through(variables: dict[str, str]) -> None:
    environment = prepared(**variables)
    through = {name for name in variables if environment.get(name) == variables[name] and variables[name]}
    assert through <= {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_XRAY_DAEMON_ADDRESS"}


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"),
        *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL_S3"),
    ],
)
def test_each_way_to_credentials_is_closed(name: str) -> None:
    assert name not in prepared(**{name: "https://somewhere"})


def test_the_credentials_that_sdks_look_for_by_themselves_are_out_of_reach() -> None:
    environment = prepared(AWS_CONFIG_FILE="/home/somebody/.aws/config", AWS_EC2_METADATA_DISABLED="false")
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"


@pytest.mark.parametrize(
    ("endpoint", "stays"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://localhost:4566/", True),
        ("http://[::1]:4566", True),
        ("https://s3.eu-west-2.amazonaws.com", False),
        ("http://127.0.0.1.example.org", False),
        ("http://127.0.0.1@example.org", False),
        ("127.0.0.1:4566", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_an_emulator_on_this_machine_may_be_an_endpoint(endpoint: str, *, stays: bool) -> None:
    assert ("AWS_ENDPOINT_URL" in prepared(AWS_ENDPOINT_URL=endpoint)) is stays


def test_commands_get_the_interpreter_that_runs_now() -> None:
    environment = prepared(PYTHONHOME="/elsewhere")
    assert environment["PULUMI_PYTHON_CMD"] == sys.executable
    assert str(Path(sys.prefix, "bin")) in entries(environment)
    assert environment["VIRTUAL_ENV"] == sys.prefix
    assert "PYTHONHOME" not in environment


def test_outside_a_virtual_environment_path_is_left_to_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    environment = prepared(PYTHONHOME="/elsewhere")
    assert "VIRTUAL_ENV" not in environment
    assert environment["PYTHONHOME"] == "/elsewhere"
    assert entries(environment)[2:] == ["/usr/bin", "/bin"]


def test_compiled_files_stay_out_of_a_checkout_that_wants_none(cache: Path) -> None:
    environment = prepared(PYTHONDONTWRITEBYTECODE="1")
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["PYTHONPYCACHEPREFIX"] == str(cache / "bytecode")
    assert "PYTHONPYCACHEPREFIX" not in prepared()


def test_the_real_account_gets_no_stand_in_and_keeps_its_own(tmp_path: Path) -> None:
    own = {
        "PATH": f"{stand_in_folder()}:/usr/bin",
        "AWS_PROFILE": "production",
        "PULUMI_ACCESS_TOKEN": "pul-secret",
        "PULUMI_HOME": str(tmp_path),
        "PULUMI_CONFIG_PASSPHRASE": "theirs",
    }
    environment = applied(changes_for("real", CLI, own), own)
    assert not any(is_stand_in_folder(entry) for entry in entries(environment))
    assert entries(environment)[0] == "/opt/pulumi/bin"
    assert {name: environment[name] for name in own if name != "PATH"} == {
        name: value for name, value in own.items() if name != "PATH"
    }
    assert "PULUMI_BACKEND_URL" not in environment
    assert "AWS_CONFIG_FILE" not in environment


@pytest.mark.parametrize(
    ("credentials", "logged_in"),
    [
        ('{"current":"https://api.pulumi.com","accounts":{}}', True),
        ('{"current": "file://~"}', True),
        ('{"current": ""}', False),
        ('{"accounts": {}}', False),
        ("not json", False),
        (None, False),
    ],
)
def test_the_real_account_needs_a_login(tmp_path: Path, credentials: str | None, *, logged_in: bool) -> None:
    if credentials is not None:
        (tmp_path / "credentials.json").write_text(credentials)
    if logged_in:
        require_login({"PULUMI_HOME": str(tmp_path)})
        return
    with pytest.raises(Failure) as failure:
        require_login({"PULUMI_HOME": str(tmp_path)})
    assert str(failure.value).startswith(
        f"Pulumi is not logged in to any backend.\n  Where: {tmp_path}/credentials.json\n"
    )
    assert "run `pulumi login`" in str(failure.value)


def test_a_backend_in_the_environment_is_a_login() -> None:
    require_login({"PULUMI_BACKEND_URL": "s3://state", "PULUMI_HOME": "/nowhere"})
    require_login({"PULUMI_ACCESS_TOKEN": "pul-secret", "PULUMI_HOME": "/nowhere"})


def test_each_checkout_has_a_folder_of_its_own(cache: Path) -> None:
    one, other = checkout_folder(Path("/a/tap")), checkout_folder(Path("/b/tap"))
    assert one != other
    assert one.parent == other.parent == cache / "checkouts"
    assert one.name.startswith("tap-")


def test_a_rehearsal_runs_no_provider_that_would_do_something(tmp_path: Path) -> None:
    for name in ("aws", "command", "pulumi-python", "random", "awsx", "command.cmd"):
        (tmp_path / f"pulumi-resource-{name}").touch()
    base = {"PATH": f"{tmp_path}:/nowhere", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_PROFILE": "prod"}
    acting = ["pulumi-resource-command", "pulumi-resource-pulumi-python"]
    assert acting_providers(base) == acting
    changes = rehearsal_changes(base, tmp_path / "backend", tmp_path / "tmp")
    first = Path(str(changes["PATH"]).split(":")[0])
    assert {path.name for path in first.iterdir()} == {"pulumi-resource-aws", *acting}
    assert all("--rehearse" in path.read_text() for path in first.iterdir())
    assert all("--echo" in (first / name).read_text() for name in acting)
    assert (changes["AWS_ENDPOINT_URL"], changes["AWS_PROFILE"]) == (None, None)
    assert changes["PULUMI_BACKEND_URL"] == f"file://{tmp_path / 'backend'}"
