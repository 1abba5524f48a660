"""`tapgate exec`, `env` and `doctor`, as a user calls them, on a machine with a CLI on PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tapgate.cli import main
from tapgate.embedded.environment import state_folder
from tests.tapgate.embedded.toolchain import fakes

ROOT = Path(__file__).parents[3]


def install_nothing(*_: object) -> None:
    """Stand for the installation that an official language host wants."""


@pytest.fixture(autouse=True)
def machine(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a CLI, whose checkout is left alone: there are no archives to build."""
    fakes.cli(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tapgate.embedded.prepare.ensure_archives", lambda: True)
    monkeypatch.setattr("tapgate.embedded.prepare.ensure_component_environment", install_nothing)
    return cache


def test_a_command_runs_in_the_embedded_environment(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--", "sh", "-c", 'echo "$PULUMI_BACKEND_URL $TAP_LOCAL_AWS"; exit 4']) == 4
    out, err = capfd.readouterr()
    assert out == f"file://{state_folder()} embedded\n"
    said = err.splitlines()
    assert said[0].startswith("tapgate: Pulumi 3.300.1, found on PATH: ")
    assert said[1:] == [
        "tapgate: using a stand-in AWS provider: nothing here reaches AWS (--aws real uses your account)"
    ]


def test_inside_a_prepared_environment_the_banner_is_not_said_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAP_LOCAL_AWS", "embedded")
    assert main(["exec", "--aws", "embedded", "true"]) == 0
    assert capfd.readouterr() == ("", "")


def test_the_stacks_of_the_checkout_and_those_asked_for_are_there() -> None:
    assert main(["exec", "--stack-init", "TapStackpr12,TapStackpr13", "--", "true"]) == 0
    made = {path.stem for path in (state_folder() / ".pulumi" / "stacks").glob("*/*.json")}
    assert {"dev", "staging", "prod", "TapStackpr12", "TapStackpr13"} <= made


def test_what_steers_the_engine_reaches_neither_a_command_nor_a_shell(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PULUMI_OPTION_POLICY_PACK_CONFIG", "PULUMI_OPTION_TARGET", "PULUMI_DEBUG_PROVIDERS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PULUMI_OPTIONS_OF_OUR_OWN", "kept")
    program = "import os; print([n for n in os.environ if n.startswith(('PULUMI_OPTION', 'PULUMI_DEBUG'))])"
    assert main(["exec", "--", sys.executable, "-c", program]) == 0
    said = capfd.readouterr()
    assert said.out == "['PULUMI_OPTIONS_OF_OUR_OWN']\n"
    assert said.err.count("is left out of the engine's environment") == 3
    assert "tapgate: PULUMI_OPTION_TARGET is left out" in said.err
    monkeypatch.setenv("PULUMI_OPTION_TARGET", "x")
    assert main(["env"]) == 0
    said = capfd.readouterr()
    assert "unset PULUMI_OPTION_TARGET\n" in said.out
    assert "PULUMI_OPTIONS_OF_OUR_OWN" not in said.out
    assert said.err.count("is left out of the engine's environment") == 1


def test_a_shell_can_take_the_environment_over(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["env"]) == 0
    text = capfd.readouterr().out
    outcome = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'eval "$1"; command -v pulumi-resource-aws; echo "$PULUMI_BACKEND_URL"',
            "sh",
            text,
        ],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    provider, backend = outcome.stdout.splitlines()
    assert Path(provider).name == "pulumi-resource-aws"
    assert backend == f"file://{state_folder()}"


def test_the_real_account_needs_a_login(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--aws", "real", "--", "true"]) == 2
    assert capfd.readouterr().err.startswith("COULD NOT RUN  Pulumi is not logged in to any backend.\n")


def test_with_a_login_the_real_account_is_used(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    tell = 'echo "$PULUMI_BACKEND_URL $TAP_LOCAL_AWS"; command -v pulumi-resource-aws || echo none'
    assert main(["exec", "--aws", "real", "--", "sh", "-c", tell]) == 0
    out, err = capfd.readouterr()
    assert out == "s3://state real\nnone\n"
    assert "stand-in" not in err


def test_bad_input_is_told_in_one_form(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--"]) == 2
    assert capfd.readouterr().err.splitlines()[-2:] == [
        "COULD NOT RUN  No command is given.",
        "  fix       write it behind two hyphens: tapgate exec -- pulumi version",
    ]
    assert main(["exec", "--stack-init", "a/b", "--", "true"]) == 2
    assert "COULD NOT RUN  'a/b' cannot be the name of a stack." in capfd.readouterr().err
    assert main(["exec", "--", "no-such-command"]) == 2
    assert "COULD NOT RUN  'no-such-command' is not a command." in capfd.readouterr().err
    with pytest.raises(SystemExit) as wrong_option:
        main(["exec", "--aws", "other", "--", "true"])
    assert wrong_option.value.code == 2


def test_an_interrupt_while_preparing_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("tapgate.embedded.prepare.ensure_archives", interrupted)
    assert main(["exec", "--", "true"]) == 130


@pytest.fixture
def doctor(capfd: pytest.CaptureFixture[str]) -> Callable[[], tuple[int, str]]:
    """`tapgate doctor`, and its answer with every run of spaces as one."""

    def run() -> tuple[int, str]:
        code = main(["doctor"])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, " ".join(out.split())

    return run


Doctor = Callable[[], tuple[int, str]]


def test_the_doctor_finds_what_is_there(tmp_path: Path, doctor: Doctor) -> None:
    _, said = doctor()
    assert f"✓ Pulumi CLI 3.300.1, found on PATH, in {tmp_path}/bin" in said
    assert "- Go not there; only needed to build a Pulumi CLI where none can be downloaded" in said
    assert "- Pulumi login (for --aws real) none pulumi login" in said
    assert "✓ stand-in AWS provider" in said


def test_the_doctor_says_what_is_missing(
    machine: Path, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("tapgate.embedded.doctor.PACKAGES", ("pulumi", "no-such-package"))
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-secret")
    machine.parent.mkdir(parents=True, exist_ok=True)
    code, said = doctor()
    assert code == 2
    assert "✗ no-such-package not installed" in said
    assert "✗ Pulumi CLI not there, and no Go to build it with" in said
    assert "pul-secret" not in said
    assert said.endswith("NOT READY 2 missing")


def test_the_doctor_knows_that_a_cli_will_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    fakes.script(tmp_path / "go" / "go", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}/go:/usr/bin:/bin")
    code, said = doctor()
    assert code == 0
    assert "- Pulumi CLI not there yet; the next command that needs it gets it" in said


def test_the_doctor_reports_a_named_cli_and_a_cache_that_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    monkeypatch.setenv("TAP_PULUMI", str(tmp_path / "absent"))
    (tmp_path / "file").write_text("")
    code, said = doctor()
    assert code == 2
    assert "✗ Pulumi CLI The Pulumi CLI that was asked for cannot be used." in said
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    code, said = doctor()
    assert code == 2
    assert "✗ cache folder A folder cannot be created." in said


def test_what_the_system_refuses_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "tapgate.embedded.prepare.ensure_archives", lambda: Path("/no/such/file").read_bytes()
    )
    assert main(["exec", "--", "true"]) == 2
    said = capfd.readouterr().err
    assert "COULD NOT RUN  No such file or directory.\n" in said
    assert "  where     /no/such/file\n" in said


def test_the_module_can_be_called() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "tapgate", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"exec", "env", "doctor"} <= set(outcome.stdout.split())
