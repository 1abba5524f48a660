"""Production as docs/deployment.md sets it up: state in S3, secrets under a KMS key, both the emulator's."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.emulator import Emulator
from tapgate.embedded.environment import applied, changes_for, stand_in_folder
from tapgate.embedded.toolchain import find
from tests.integration.deployment import ROOT, Deployment, prepare
from tests.integration.inventory import inventory
from tests.integration.target import REGION, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.cli, pytest.mark.emulator, pytest.mark.xdist_group("state-secrets")]
PAGE = ROOT / "docs" / "deployment.md"
PROVIDER = f"awskms://alias/pulumi-state?region={REGION}"
UNREADABLE = re.compile(r"The stack's secrets cannot be opened")


@dataclass(frozen=True)
class Production:
    """The backend, its key, and a checkout in which the stack was initialized."""

    target: Target
    key: str
    first: Deployment


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with Emulator() as emulator:
        target = Target(emulator.endpoint, emulator.environment())
        key = target.kms.create_key()["KeyMetadata"]["KeyId"]
        target.kms.create_alias(AliasName="alias/pulumi-state", TargetKeyId=key)
        place = {"LocationConstraint": REGION}
        target.s3.create_bucket(Bucket="org-pulumi-state", CreateBucketConfiguration=place)  # pyright: ignore[reportArgumentType]
        folder = tmp_path_factory.mktemp("first")
        made = prepare(folder, "prod", target)
        shutil.copy(ROOT / "Pulumi.prod.yaml", made.folder)
        first = dataclasses.replace(made, environment=_on_aws(target, folder))
        done = first.pulumi("stack", "init", "--secrets-provider", PROVIDER)
        assert done.returncode == 0, done.stderr
        yield Production(target, key, first)


def _on_aws(target: Target, folder: Path) -> dict[str, str]:
    """The environment of `--aws real`; the stand-in provider and the emulator are what AWS is here."""
    query = f"region={REGION}&endpoint={target.endpoint}&s3ForcePathStyle=true"
    own = {"PULUMI_BACKEND_URL": f"s3://org-pulumi-state?{query}", "PULUMI_HOME": str(folder / "home")}
    base = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")} | own
    environment = applied(changes_for("real", find(), base), base)
    path = f"{stand_in_folder()}{os.pathsep}{environment['PATH']}"
    return {**environment, **target.environment, "PATH": path}


def _checkout(production: Production, folder: Path, *, committed: bool) -> Deployment:
    """A fresh checkout, with the lines that `stack init` wrote or without them."""
    made = prepare(folder, "prod", production.target)
    source = production.first.folder if committed else ROOT
    shutil.copy(source / "Pulumi.prod.yaml", made.folder)
    return dataclasses.replace(made, environment=_on_aws(production.target, folder))


def test_stack_init_writes_what_the_guide_says_to_commit(production: Production) -> None:
    written = (production.first.folder / "Pulumi.prod.yaml").read_text("utf-8")
    assert f"secretsprovider: {PROVIDER}" in written
    assert "encryptedkey: " in written
    page = PAGE.read_text("utf-8")
    assert "`secretsprovider`" in page
    assert "`encryptedkey`" in page


@pytest.mark.parametrize("committed", [False, True])
def test_a_fresh_checkout_is_gated_by_the_key_that_the_state_names(
    production: Production, tmp_path: Path, *, committed: bool
) -> None:
    fresh = _checkout(production, tmp_path, committed=committed)
    done = fresh.gate("preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout


def test_a_key_that_cannot_be_used_is_named(production: Production, tmp_path: Path) -> None:
    fresh = _checkout(production, tmp_path, committed=True)
    production.target.kms.disable_key(KeyId=production.key)
    try:
        done = fresh.gate("preview")
    finally:
        production.target.kms.enable_key(KeyId=production.key)
    assert done.returncode == 2, done.stdout + done.stderr
    assert UNREADABLE.search(done.stderr), done.stderr
    assert f":key/{production.key} is disabled" in done.stderr
    assert "PASSPHRASE" not in done.stderr
    assert "Traceback" not in done.stderr


def test_production_is_ended_as_the_guide_says(production: Production, tmp_path: Path) -> None:
    fresh = _checkout(production, tmp_path, committed=False)
    deployed = fresh.gate("deploy")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert "function tap-api-handler-prod" in inventory(production.target)
    refused = fresh.destroy()
    assert refused.returncode != 0
    assert "protected" in refused.stdout + refused.stderr

    block = r"```console\n(pulumi config set deletionProtection .*?)```"
    (commands,) = re.findall(block, PAGE.read_text("utf-8"), re.DOTALL)
    for command in commands.splitlines():
        words = [word for word in command.split() if word not in {"--stack", "prod"}]
        if words[0] == "nox":
            done = fresh.gate("deploy")
        elif words[1] == "stack":
            done = fresh.remove_from_backend()
        else:
            done = fresh.pulumi(*words[1:])
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    backend = {"bucket org-pulumi-state", f"key {production.key}", "alias alias/pulumi-state"}
    assert inventory(production.target) == backend
