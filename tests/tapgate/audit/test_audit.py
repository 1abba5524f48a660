"""`gate audit` as users run it: real packs, real worker processes."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from tapgate.audit import auditing
from tapgate.audit.auditing import Plan, describe_usable
from tapgate.audit.command import audit_lines
from tapgate.audit.states import LARGEST_BYTES, State, states_in
from tapgate.audit.task import close_packs
from tapgate.cli import main
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sequence, text
from tapgate.packs import RequestedPack
from tapgate.terminal import Ink
from tests.tapgate.sample_state import checkpoint, exported, resource, root

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("backend")]
PROBE = Path(__file__).parents[1] / "fixtures" / "packs" / "probe"
HIDDEN = "\x1b[2J\u202e"

Audit = Callable[..., tuple[int, str, str]]


def state(stack: str, *names: str) -> bytes:
    return exported([root(stack), *(resource(name, stack=stack) for name in names)])


@pytest.fixture
def states(tmp_path: Path) -> Path:
    folder = tmp_path / "states"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.json").write_bytes(state(f"s{number}", "a", "b"))
    return folder


@pytest.fixture(autouse=True)
def workers_are_counted(
    backend: Path, coverage_env: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have coverage follow into the worker processes."""
    assert backend
    for name, value in coverage_env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Audit:
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        fixed = ["--policy-pack", str(PROBE), "--results", str(tmp_path / "results"), "--workers", "1"]
        code = main(["audit", *fixed, *map(str, arguments)])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


@pytest.fixture(scope="module")
def lasting_worker() -> Iterator[ThreadPoolExecutor]:
    """One that lasts from audit to audit, as a cluster's does: it starts the pack once for all of them."""
    with ThreadPoolExecutor(1) as executor:
        yield executor
        executor.submit(close_packs).result()


@pytest.fixture
def worker_that_lasts(lasting_worker: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(_: int) -> nullcontext[ThreadPoolExecutor]:
        return nullcontext(lasting_worker)

    monkeypatch.setattr(auditing, "local_processes", opened)


def config(folder: Path, **body: object) -> list[str]:
    path = folder / "config.json"
    path.write_text(json.dumps({name.replace("_", "-"): value for name, value in body.items()}))
    return ["--policy-pack-config", str(path)]


def verdict(path: Path) -> dict[str, object]:
    """A verdict without the time it was made at."""
    return {**mapping(json.loads(path.read_text())), "made": ""}


def test_stacks_that_hold_and_an_audit_that_goes_on(
    audit: Audit, states: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    code, out, err = audit(states, "--verdict", tmp_path / "first.json")
    assert code == 0
    assert "  ✓ probe-resource  6 stacks" in out
    assert "PASSED  6 stacks with 18 resources audited, 0 blocked, " in out
    assert "audited 6 of 6" in err
    request.getfixturevalue("worker_that_lasts")
    (states / "3.json").write_bytes(state("s3", "a", "changed"))
    code, out, _ = audit(states, "--verdict", tmp_path / "second.json")
    assert code == 0
    assert "5 unchanged since an earlier audit" in out
    code, out, _ = audit(states, "--fresh", "--verdict", tmp_path / "third.json")
    assert "unchanged" not in out
    assert verdict(tmp_path / "second.json") == verdict(tmp_path / "third.json")


@pytest.mark.usefixtures("worker_that_lasts")
def test_stacks_that_are_blocked_and_the_same_where_it_is_advice(
    audit: Audit, states: Path, tmp_path: Path
) -> None:
    says = {"say": "violation"}
    arguments = config(tmp_path, probe_stack=says, probe_resource="disabled")
    code, out, _ = audit(states, *arguments, "--html", tmp_path / "audit.html")
    assert code == 1
    assert "✗ probe-stack" in out
    assert "6 findings in 6 of 6 stacks" in out
    assert "BLOCKED      shop / s0  1 finding" in out
    assert "BLOCKED BY POLICY  6 stacks" in out
    assert (tmp_path / "audit.html").stat().st_size
    # The worker has the pack running under the config of before.
    advice = RequestedPack(PROBE, None, {"probe-stack": {**says, "enforcementLevel": "advisory"}})
    done = auditing.audit(states_in([states]), Plan((advice,), workers=1))
    assert done.verdicts.outcome == "passed"
    assert "  ! probe-stack     6 findings in 6 of 6 stacks" in audit_lines(
        done, 1.0, Ink(colour=False, unicode=True)
    )


DOCUMENTED = (
    "python -m tapgate audit STATES --policy-pack policypack --html audit.html --verdict audit.json",
    "python -m tapgate audit STATES --policy-pack policypack --html trend.html --earlier audit.json",
)


def test_an_audit_and_its_trend_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    states = tmp_path / "STATES"
    states.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policypack").symlink_to(PROBE.parents[4] / "policypack")
    kind = "aws:kms/key:Key"
    for rotation, command in ((False, DOCUMENTED[0]), (True, DOCUMENTED[1])):
        key = resource("key", kind, inputs={"enableKeyRotation": rotation, "tags": {}})
        (states / "dev.json").write_bytes(exported([root(), key]))
        code = main(command.split()[3:])
        assert code == (0 if rotation else 1), capsys.readouterr().out
    page = (tmp_path / "trend.html").read_text()
    assert "Changes since" in page
    assert "Findings that are gone (1)" in page
    assert "Changes since" not in (tmp_path / "audit.html").read_text()


@pytest.mark.usefixtures("worker_that_lasts")
def test_bad_states_are_named_and_the_others_audited(audit: Audit, states: Path, tmp_path: Path) -> None:
    (states / "0.json").write_bytes(b"{")
    (states / "1.json").write_bytes(gzip.compress(state("zipped"))[:-9])
    (states / "2.json").write_text('{"version": 3, "notes": "not a state"}')
    deep: object = 1
    for _ in range(400):
        deep = [deep]
    (states / "3.json").write_bytes(exported([root("deep"), resource("a", stack="deep", inputs={"x": deep})]))
    (states / "4.json").write_bytes(state("s4", f"evil{HIDDEN}"))
    (states / f"evil{HIDDEN}.json").write_text("[")
    (states / "encrypted.json").write_bytes(b"age-encryption.org/v1\n-> X25519 \xb3\x93\x00")
    with (states / "huge.json").open("wb") as huge:
        huge.truncate(LARGEST_BYTES + 1)
    code, out, _ = audit(states, "--verdict", tmp_path / "verdict.json")
    assert code == 2
    assert "NOT COMPLETE  2 stacks with 5 resources audited, 0 blocked, 7 not audited" in out
    assert not set(out) & {"\x1b", "\u202e"}
    assert "evil\\x1b[2J\\u202e.json" in out
    unaudited = [
        text(mapping(one).get("name")) for one in sequence(verdict(tmp_path / "verdict.json")["unaudited"])
    ]
    assert sorted(Path(name).name for name in unaudited) == [
        "0.json",
        "1.json",
        "2.json",
        "3.json",
        "encrypted.json",
        f"evil{HIDDEN}.json",
        "huge.json",
    ]
    assert "more than 536,870,912" in out
    assert all(one.startswith(("NOT AUDITED", " ")) for one in out.splitlines() if "encrypted.json" in one)


@pytest.mark.usefixtures("worker_that_lasts")
def test_a_policy_that_breaks_on_every_state(states: Path) -> None:
    breaks = RequestedPack(PROBE, None, {"probe-stack": {"say": "exit"}})
    done = auditing.audit(states_in([states / "0.json", states / "1.json"]), Plan((breaks,), workers=1))
    assert done.verdicts.stacks == ()
    assert [one.what for one in done.verdicts.unaudited] == ["The policy pack does not run."] * 2


@pytest.mark.usefixtures("worker_that_lasts")
def test_a_backend_by_its_folder_and_by_its_address(audit: Audit, backend: Path) -> None:
    stacks = backend / ".pulumi" / "stacks" / "shop"
    stacks.mkdir(parents=True)
    (stacks / "dev.json").write_bytes(checkpoint([root()]))
    (stacks / "dev.json.bak").write_bytes(b"not looked at")
    code, out, _ = audit(backend, "--backend", os.environ["PULUMI_BACKEND_URL"])
    assert code == 0, out
    assert "2 stacks with 2 resources audited" in out


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"probe-stak": "disabled"}, "The pack has no policy 'probe-stak'."),
        ({"all": "disabled"}, "No policy would be evaluated."),
    ],
)
def test_a_config_under_which_a_pack_says_nothing(body: dict[str, object], what: str) -> None:
    with pytest.raises(CouldNotRunError) as caught:
        describe_usable([RequestedPack(PROBE, None, body)])
    assert caught.value.what == what


@pytest.mark.parametrize("resource", ["bogus", {"enforcementLevel": "bogus"}])
def test_a_config_that_the_engine_refuses(
    audit: Audit, states: Path, tmp_path: Path, resource: object
) -> None:
    code, _, err = audit(states, *config(tmp_path, probe_resource=resource))
    assert code == 2
    assert "The policy pack's config does not match what the pack accepts." in err


def deadly() -> bytes:
    """End the process that reads this state."""
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def test_a_state_that_kills_its_worker_harms_no_other(states: Path) -> None:
    plan = Plan(packs=(RequestedPack(PROBE, None),), workers=1)
    done = auditing.audit([State("deadly", deadly), *states_in([states / "1.json"])], plan)
    assert [one.stack for one in done.verdicts.stacks] == ["s1"]
    assert [(one.name, one.what) for one in done.verdicts.unaudited] == [
        ("deadly", "The state cannot be evaluated.")
    ]


def test_nothing_to_audit(audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No state was given." in audit()[2]
    assert "There is no state." in audit(tmp_path / "none")[2]
    with pytest.raises(SystemExit):
        audit(tmp_path, "--workers", "0")
    assert "--workers" in capsys.readouterr().err


@pytest.mark.usefixtures("worker_that_lasts")
def test_an_interrupted_audit_keeps_what_is_done(states: Path, tmp_path: Path, audit: Audit) -> None:
    for number in range(6, 20):
        (states / f"{number}.json").write_bytes(state(f"s{number}", "a"))
    results = tmp_path / "results"
    command = [sys.executable, "-m", "tapgate", "audit", str(states), "--policy-pack", str(PROBE)]
    process = subprocess.Popen(
        [*command, "--results", str(results), "--workers", "2"],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PROBE_SECONDS": "0.5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(results.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in out + err
    assert "The audit was interrupted." in err
    kept = len(list(results.rglob("*.json")))
    assert 0 < kept < 20
    code, out, _ = audit(states)
    assert code == 0
    assert f"{kept} unchanged since an earlier audit" in out


@pytest.mark.usefixtures("worker_that_lasts")
def test_another_json_file_in_a_folder_is_passed_over_with_a_note(states: Path, audit: Audit) -> None:
    other, torn = states / "package.json", states / "torn.json"
    other.write_text('{"name": "shop", "version": "1.0.0"}')
    code, out, _ = audit("--fresh", states)
    assert code == 0
    assert f"PASSED OVER  {other}  It is a JSON file, and not a state." in out
    assert "6 stacks" in out
    torn.write_bytes((states / "0.json").read_bytes()[:-40])
    code, out, _ = audit("--fresh", states)
    assert code == 2
    assert f"NOT AUDITED  {torn}" in out
    torn.unlink()
    code, out, _ = audit("--fresh", states / "0.json", other)
    assert code == 2
    assert f"NOT AUDITED  {other}" in out


@pytest.mark.usefixtures("worker_that_lasts")
def test_a_folder_without_any_state_is_no_pass(tmp_path: Path, audit: Audit) -> None:
    for name in ("package.json", "tsconfig.json"):
        (tmp_path / name).write_text('{"files": []}')
    code, _, err = audit("--fresh", tmp_path)
    assert code == 2
    assert "There is no state." in err
    assert "package.json" in err
