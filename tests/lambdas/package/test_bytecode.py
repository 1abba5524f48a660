from __future__ import annotations

import marshal
import sys
from typing import TYPE_CHECKING

import pytest

from lambdas.package import bytecode
from lambdas.package.bytecode import Compiler, compile_tree, find_compiler
from lambdas.package.dependencies import PackageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """This very Python, as if it were the functions' version."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", version)
    found = find_compiler("always")
    assert found is not None
    return found


def test_this_python_is_taken_when_it_has_the_version(here: Compiler) -> None:
    assert here == Compiler(sys.executable, ".".join(map(str, sys.version_info[:3])))


def test_never_means_none() -> None:
    assert find_compiler("never") is None


def test_without_the_version_always_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", "3.99")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(PackageError, match=r"No Python 3\.99 was found.*uv python install 3\.99"):
        find_compiler("always")


def test_a_command_that_is_another_version_or_none_at_all_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", "3.99")
    pretender = tmp_path / "python3.99"
    pretender.write_text("#!/bin/sh\necho 3.98.0\n")
    pretender.chmod(0o755)
    broken = tmp_path / "versions" / "3.99.1" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("not a program")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(PackageError, match=r"No Python 3\.99 was found"):
        find_compiler("always")


def test_a_python_of_pyenv_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bytecode, "PYTHON_VERSION", "3.99")
    python = tmp_path / "versions" / "3.99.1" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 3.99.1\n")
    python.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find_compiler("always") == Compiler(str(python), "3.99.1")


def test_bytecode_is_unchecked_and_names_modules_as_lambda_does(here: Compiler, tmp_path: Path) -> None:
    source = tmp_path / "site" / "pack" / "module.py"
    source.parent.mkdir(parents=True)
    source.write_text("def f():\n    return 1\n")
    compile_tree(here, tmp_path / "site")
    # Beside its source, whatever PYTHONPYCACHEPREFIX says of this process.
    content = (source.parent / f"__pycache__/module.{sys.implementation.cache_tag}.pyc").read_bytes()
    assert content[4:8] == b"\x01\x00\x00\x00"
    code = marshal.loads(content[16:])  # noqa: S302 - written just now
    assert code.co_filename == "/var/task/pack/module.py"
    assert str(tmp_path).encode() not in content


def test_a_module_that_does_not_compile_is_named(here: Compiler, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def")
    with pytest.raises(PackageError, match=r"cannot compile the functions:(.|\n)*bad\.py"):
        compile_tree(here, tmp_path)
