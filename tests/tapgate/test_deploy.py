"""`gate deploy` on the real engine: only what passed is deployed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tapgate import sandbox
from tapgate.analyzer.deployment import read_deployment
from tapgate.cli import main
from tapgate.embedded.emulator import Emulator
from tapgate.sources import urn_name
from tests.tapgate.test_attacks import ATTACKS
from tests.tapgate.test_attacks import Gate as Attack

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]

Project = Callable[[str], Path]
Pack = Callable[[str], str]
Gate = Callable[..., tuple[int, str, str]]


def resources(backend: Path) -> dict[str, list[str]]:
    """Names of the resources in each stack of the backend."""
    found: dict[str, list[str]] = {}
    for path in (backend / ".pulumi" / "stacks").rglob("*.json"):
        deployment = read_deployment(path.read_bytes(), path.name)
        found[path.stem] = sorted(urn_name(one.urn) for one in deployment.resources)
    return found


@pytest.fixture
def gate(capsys: pytest.CaptureFixture[str], project: Project, pack: Pack) -> Gate:
    folder = project("changes")

    def run(*arguments: str) -> tuple[int, str, str]:
        # The program counts its runs in its own folder, of which each run in the sandbox has a copy.
        fixed = ("-C", str(folder), "--policy-pack", pack("probe"), "--sandbox", "off")
        code = main(["deploy", *fixed, *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def config(folder: Path, body: object) -> list[str]:
    path = folder / "policy-config.json"
    path.write_text(json.dumps(body))
    return ["--policy-pack-config", str(path)]


def test_what_passed_is_deployed(gate: Gate, backend: Path, tmp_path: Path) -> None:
    code, out, err = gate("--verdict", str(tmp_path / "verdict.json"))
    assert (code, err) == (0, "")
    assert "PASSED  2 policies, 3 resources" in out
    assert out.splitlines()[-1].startswith("DEPLOYED  create 3, ")
    assert resources(backend) == {"dev": ["changes-dev", "thing-0", "thing-1"]}
    assert json.loads((tmp_path / "verdict.json").read_text())["kind"] == "deploy"
    code, out, _ = gate()
    assert code == 0
    assert out.splitlines()[-1].startswith("DEPLOYED  nothing, ")


def test_what_is_blocked_creates_nothing(gate: Gate, backend: Path, tmp_path: Path) -> None:
    """By a policy of the stack; many others, by policies of resources, are among the attacks."""
    code, out, _ = gate(*config(tmp_path, {"probe-stack": {"say": "violation"}}))
    assert code == 1
    assert out.splitlines()[-1] == "Nothing was deployed."
    assert resources(backend) == {}


def test_what_changed_after_the_preview_is_not_deployed(gate: Gate, backend: Path) -> None:
    code, out, err = gate("--stack", "grows")
    # The engine may refuse the second thing before it has recorded anything else.
    made = resources(backend).get("grows", [])
    assert code == (3 if made else 2), err
    assert "DEPLOYED" not in out
    assert "The deployment is not the one that was previewed." in err
    assert "thing-1" not in made


def test_a_program_that_fails_on_the_way_says_what_was_done(gate: Gate, backend: Path) -> None:
    code, out, err = gate("--stack", "raises")
    assert code == 3
    assert "DEPLOYED" not in out
    assert "COULD NOT RUN" in err
    assert "recorded in the state: create 3." in " ".join(err.split())
    assert resources(backend)["raises"] == ["changes-raises", "thing-0", "thing-1"]


def test_a_pack_that_blocks_only_the_update_blocks_it(gate: Gate, backend: Path, tmp_path: Path) -> None:
    code, out, _ = gate(*config(tmp_path, {"probe-resource": {"say": "second run"}}))
    assert code == 1
    assert "PASSED" in out
    assert out.splitlines()[-1].startswith("BLOCKED BY POLICY  nothing, ")
    assert resources(backend).get("dev", []) == []


@pytest.fixture
def attack(engine_env: Mapping[str, str], tmp_path: Path) -> Iterator[Attack]:
    """A deployment to an emulator of its own."""
    (tmp_path / "attack").mkdir()
    with Emulator() as emulator:
        yield Attack(tmp_path / "attack", {**engine_env, **emulator.environment()})


def test_what_stays_in_aws_is_judged_when_it_leaves_the_program(attack: Attack) -> None:
    shutil.copytree(ATTACKS / "retain", attack.folder)
    code, said = attack.deploy(PHASE="1")
    assert code == 0, said
    made = attack.made()
    assert made > 10
    (stack,) = json.loads((attack.backend.parent / "verdict.json").read_text())["stacks"]
    box = sandbox.look()
    # An emulator is a part of the machine that the preview has to reach; the rehearsal does not.
    assert stack["sandbox"].startswith(
        f"{box.version}, rehearsal; " if isinstance(box, sandbox.Sandbox) else "none: "
    )
    code, said = attack.deploy(PHASE="2, 3 and 4")
    assert code == 1, said
    assert "stays in AWS (retainOnDelete)" in " ".join(said.split())
    assert attack.blocking() == {
        ("dynamodb-throttle-alarm", "t"),
        ("dynamodb-throttle-alarm", "u (replaced)"),
        ("s3-encryption", "b"),
        ("s3-public-access-block", "b"),
        ("s3-tls-only", "b"),
        ("s3-versioning", "b"),
    }
    assert attack.made() == made
