from __future__ import annotations

import json
import re
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdas.package import __main__ as command
from lambdas.package import bytecode, dependencies
from lambdas.package.build import FUNCTIONS, LAMBDAS, LOCK, Built, Recipe, build, plan
from lambdas.package.bytecode import Compiler
from lambdas.package.dependencies import PackageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def sources_of(tmp_path: Path) -> Path:
    """A copy of the functions' folder."""
    shutil.copytree(LAMBDAS, tmp_path / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "lambdas"


@pytest.fixture
def small(tmp_path: Path) -> Recipe:
    """A recipe that is quickly built: a copy of the sources, one dependency, no bytecode."""
    lock = tmp_path / "lambdas.txt"
    (six,) = re.findall(r"^six==.*?[0-9a-f]$", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    lock.write_text(six + "\n")
    return plan(lambdas=sources_of(tmp_path), lock=lock, bytecode="never")


def fresh(built: list[Built]) -> Mapping[str, bool]:
    return {each.path.stem: each.fresh for each in built}


def test_nothing_is_built_again_while_nothing_changes(small: Recipe, tmp_path: Path) -> None:
    output = tmp_path / "dist"
    assert all(fresh(build(output, small)).values())
    before = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    assert not any(fresh(build(output, small)).values())
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("api_handler/app.py", {"api_handler": True, "processor": False}),
        ("processor/work.py", {"api_handler": False, "processor": True}),
        ("tap_items/record.py", {"api_handler": True, "processor": True}),
        ("api_document.py", {"api_handler": False, "processor": False}),
    ],
)
def test_what_changes_is_built_again(
    small: Recipe, tmp_path: Path, changed: str, expected: dict[str, bool]
) -> None:
    build(tmp_path / "dist", small)
    with (small.lambdas / changed).open("a", encoding="utf-8") as source:
        source.write("\nCHANGED = True\n")
    assert fresh(build(tmp_path / "dist", small)) == expected
    assert fresh(build(tmp_path / "dist", small)) == dict.fromkeys(FUNCTIONS, False)


@pytest.mark.parametrize("damage", ["zip gone", "zip cut", "stamp gone", "stamp no JSON", "stamp no object"])
def test_damage_is_built_over(small: Recipe, tmp_path: Path, damage: str) -> None:
    output = tmp_path / "dist"
    build(output, small)
    zip_path, stamp = output / "processor.zip", output / ".processor.json"
    whole = zip_path.read_bytes()
    {
        "zip gone": zip_path.unlink,
        "zip cut": lambda: zip_path.write_bytes(whole[:1000]),
        "stamp gone": stamp.unlink,
        "stamp no JSON": lambda: stamp.write_text("{"),
        "stamp no object": lambda: stamp.write_text("[]"),
    }[damage]()
    assert fresh(build(output, small)) == {"api_handler": False, "processor": True}
    assert zip_path.read_bytes() == whole


def test_another_lock_platform_or_compiler_is_another_build(small: Recipe, tmp_path: Path) -> None:
    lock = tmp_path / "other.txt"
    lock.write_text(small.lock.read_text() + "\n")
    others = [
        small._replace(lock=lock),
        small._replace(platform="host"),
        small._replace(compiler=Compiler("python", "3.13.99")),
    ]
    digests = {each.digest("processor") for each in (small, *others)}
    assert len(digests) == 4


def test_the_zips_do_not_follow_from_the_pythons_at_hand(
    small: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def zips(folder: str) -> list[str]:
        recipe = plan(lambdas=small.lambdas, lock=small.lock)
        return [each.sha256 for each in build(tmp_path / folder, recipe)]

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", version)
    with_it = zips("with")
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", "3.99")
    assert zips("without") == with_it


def test_a_pipeline_can_ask_for_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", "3.99")
    monkeypatch.setenv("TAP_LAMBDA_BYTECODE", "always")
    assert command.main(["--output", str(tmp_path)]) == 1
    assert "TAP_LAMBDA_BYTECODE unset" in capsys.readouterr().err


def test_a_build_that_fails_leaves_the_old_zips(
    small: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "dist"
    build(output, small)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    (small.lambdas / "processor" / "work.py").write_text("")
    monkeypatch.setattr(Path, "replace", _fail)
    with pytest.raises(OSError, match="no room"):
        build(output, small)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def _fail(*_: object) -> None:
    raise OSError("no room")


def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with an empty cache whose registry cannot be reached."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


def test_offline_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offline(monkeypatch, tmp_path)
    assert command.main(["--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        "error: The wheels that lambdas.txt locks cannot be had for aws (Python 3.13), so no zip"
    )
    assert "Connect to a package registry once" in error
    assert "uv says:" in error
    assert not (tmp_path / "out").exists()


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lambdas.txt"
    lock.write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(PackageError, match=r"[Hh]ash"):
        build(tmp_path / "out", plan(lock=lock))


def _nothing(_: str) -> None:
    return None


def test_without_uv_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies.importlib.util, "find_spec", _nothing)
    assert dependencies.find_uv() == [shutil.which("uv")]
    monkeypatch.setattr(dependencies.shutil, "which", _nothing)
    with pytest.raises(PackageError, match="uv was not found"):
        build(tmp_path, plan(bytecode="never"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"platform": "vax"}, "There is no platform 'vax'; choose one of aws, host."),
        ({"bytecode": "yes"}, "There is no bytecode mode 'yes'; choose one of never, always."),
    ],
)
def test_unknown_choices_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(PackageError) as caught:
        plan(**arguments)  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == message


def test_a_missing_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"The lock none\.txt is missing"):
        plan(lock=tmp_path / "none.txt")


def _with_platform(recipe: Recipe, platform: str, _bytecode: str) -> Recipe:
    return recipe._replace(platform=platform)


def test_the_command_reports_sizes(
    small: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PROJECT", tmp_path)
    monkeypatch.setattr(command, "plan", partial(_with_platform, small))
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["api_handler.zip", "processor.zip"]
    assert all(" MB, sha256 " in line and line.endswith(", built") for line in lines)
    assert "no bytecode" in lines[0]
    assert command.main([]) == 0
    assert capsys.readouterr().out.count(", up to date") == 2
    assert command.main(["--platform", "host"]) == 0
    stamp = json.loads((tmp_path / "dist" / "host" / ".processor.json").read_text())
    assert set(stamp) == {"inputs", "sha256"}
