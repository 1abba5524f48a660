"""The environment of a Python program, made as its project asks for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapgate import sandbox
from tapgate.cli import main
from tapgate.embedded import program_environment
from tapgate.embedded.console import Failure
from tapgate.embedded.environment import PROGRAM_ENVIRONMENT
from tapgate.embedded.paths import cache_root, remove_tree
from tapgate.embedded.python_requirements import find_source, is_for
from tapgate.embedded.toolchain import find
from tapgate.embedded.uv import Uv, settings_of_pip

if TYPE_CHECKING:
    from collections.abc import Mapping


def wheel(
    folder: Path,
    name: str = "shared_names",
    version: str = "1",
    needs: str = "",
    more: Mapping[str, str] | None = None,
) -> Path:
    """A wheel with a module and more; the first finds what this interpreter has installed as well."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    ours = "\n".join(entry for entry in sys.path if entry.endswith("site-packages"))
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f'VERSION = "{version}"\nKEY = "shared-key"\n')
        if name == "shared_names":
            archive.writestr("ours.pth", ours)
        for file, text in (more or {}).items():
            archive.writestr(file, text)
        # Runs whenever its interpreter starts, for the first time when it is installed.
        reach = f"import os; os.access({str(folder)!r}, os.W_OK) and open({str(folder / 'reached')!r}, 'w')"
        archive.writestr("reach.pth", reach)
        needed = f"Requires-Dist: {needs}\n" if needs else ""
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
        archive.writestr(f"{info}/METADATA", about)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def project(folder: Path, files: Mapping[str, str] | None = None, **options: str) -> Path:
    """A Python project."""
    folder.mkdir(parents=True, exist_ok=True)
    runtime = {"name": "python", "options": options}
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": "app", "runtime": runtime}))
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    return folder / "Pulumi.yaml"


def built_here(_folder: Path) -> bool:
    return True


def never(_asked: str, _version: tuple[int, ...]) -> bool:
    return False


def official(_folder: Path) -> bool:
    return False


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAP_PULUMI", str(find().folder))
    known, cache = cache_root() / "versions.json", tmp_path / "cache" / "tap-guardrails"
    cache.mkdir(parents=True)
    if known.exists():
        # Else each test would start the CLI to ask it.
        shutil.copy(known, cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tapgate.embedded.toolchain.search.is_build", built_here)
    return cache / "program-environments"


POETRY_LOCK = """
[[package]]
name = "pulumi-aws"
version = "7.20.0"
files = [{file = "a.whl", hash = "sha256:00"}]

[[package]]
name = "colorama"
version = "0.4.6"
markers = "sys_platform == 'win32'"

[[package]]
name = "pywin32"
version = "306"

[[package]]
name = "portalocker"
version = "2"
dependencies = {pywin32 = {version = ">=226", markers = "platform_system == 'Windows'"}, colorama = "*"}

[[package]]
name = "ours"
version = "0.1.0"
source = {type = "git", url = "https://example.com/ours", resolved_reference = "abc"}

[[package]]
name = "beside"
version = "0.1.0"
source = {type = "directory", url = "../beside"}

[[package]]
name = "built"
version = "0.2.0"
source = {type = "file", url = "../built-0.2.0-py3-none-any.whl"}

[[package]]
name = "internal"
version = "3"
source = {type = "legacy", url = "https://index.example.com/simple", reference = "internal"}

[[package]]
name = "never"
version = "1.0"
optional = true
"""
POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
a = "^1.2"
b = "~2.3.4"
c = {version = ">=1,<3", extras = ["x"]}
d = "*"
e = "^0.0.3"
f = "1.2.3"
g = "~1"
"""


GROUPS = """
[project]
name = "a"
dependencies = ["boto3"]
optional-dependencies = {cloud = ["pulumi-aws"], docs = ["mkdocs"]}
[dependency-groups]
infrastructure = ["pulumi>=3", {include-group = "lint"}]
lint = ["ruff"]
"""


@pytest.mark.parametrize(
    ("toolchain", "files", "chosen", "lines"),
    [
        ("pip", {"requirements.txt": "pulumi\n", "uv.lock": "", "pyproject.toml": ""},
         "requirements.txt", None),
        ("pip", {"poetry.lock": POETRY_LOCK, "pyproject.toml": ""}, "poetry.lock", (
            "--extra-index-url https://index.example.com/simple",
            "pulumi-aws==7.20.0",
            "colorama==0.4.6 ; sys_platform == 'win32'",
            "pywin32==306 ; (platform_system == 'Windows')",
            "portalocker==2",
            "ours @ git+https://example.com/ours@abc",
            "built @ {folder}/built-0.2.0-py3-none-any.whl",
            "internal==3",
        )),
        ("uv", {"uv.lock": "", "poetry.lock": "", "pyproject.toml": ""}, "uv.lock", None),
        ("poetry", {"uv.lock": "", "poetry.lock": "", "pyproject.toml": ""}, "poetry.lock", ()),
        ("poetry", {"pyproject.toml": POETRY}, "pyproject.toml", (
            "a>=1.2,<2", "b>=2.3.4,<2.4", "c>=1,<3", "d", "e>=0.0.3,<0.0.4", "f==1.2.3", "g>=1,<2",
        )),
        ("uv", {"pyproject.toml": "[project]\nname = 'a'\ndependencies = ['pulumi>=3']"}, "pyproject.toml",
         ("pulumi>=3",)),
        ("uv", {"pyproject.toml": GROUPS}, "pyproject.toml", ("boto3", "pulumi>=3", "pulumi-aws")),
        ("uv", {"requirements.txt": "pulumi\n", "pyproject.toml": "[tool.ruff]"}, "requirements.txt", None),
    ],
)  # fmt: skip
def test_what_an_environment_is_made_of(
    tmp_path: Path, toolchain: str, files: dict[str, str], chosen: str, lines: tuple[str, ...] | None
) -> None:
    root = project(tmp_path / "app", files).parent
    (tmp_path / ".git").mkdir()
    source = find_source(root, root, toolchain)
    assert source is not None
    wanted = lines and tuple(line.replace("{folder}", tmp_path.as_uri()) for line in lines)
    assert (source.file, source.lines) == (root / chosen, wanted)


def test_groups_of_a_lock_that_are_about_pulumi_are_installed(tmp_path: Path) -> None:
    root = project(tmp_path / "app", {"uv.lock": "", "pyproject.toml": GROUPS}).parent
    source = find_source(root, root, "pip")
    assert source is not None
    assert source.groups == ("--group", "infrastructure", "--extra", "cloud")


PIPFILE_LOCK = {
    "default": {
        "pulumi": {"version": "==3.200.0", "markers": "python_version >= '3.9'"},
        "ours": {"git": "https://example.com/ours", "ref": "abc"},
    }
}


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("app/infra-requirements.txt", "pulumi\n", None),
        ("requirements.txt", "pulumi\n", None),
        ("requirements/iac.txt", "pulumi\n", None),
        ("Pipfile", "[packages]\npulumi = '*'\nboto3 = {version = '==1.40'}", ("pulumi", "boto3==1.40")),
        ("Pipfile.lock", json.dumps(PIPFILE_LOCK), (
            "pulumi==3.200.0 ; python_version >= '3.9'", "ours @ git+https://example.com/ours@abc",
        )),
        ("setup.cfg", "[options]\ninstall_requires =\n  pulumi>=3\n  boto3\n", ("pulumi>=3", "boto3")),
        ("setup.py", "setup(name='a', install_requires=['pulumi>=3'])", ("pulumi>=3",)),
        ("environment.yml", "dependencies: [python=3.11, conda-forge::boto3=1.40, {pip: [pulumi>=3]}]",
         ("boto3==1.40.*", "pulumi>=3")),
        # What is about something else, or not what its name says, tells nothing; nor what lies outside.
        ("requirements.txt", "django\n", ()),
        ("setup.py", "setup(install_requires=read('pulumi'))", ()),
        ("Pipfile.lock", "pulumi", ()),
        ("../requirements.txt", "pulumi\n", ()),
    ],
)  # fmt: skip
def test_what_has_another_name_or_lies_above_the_project_is_taken_where_it_is_about_pulumi(
    tmp_path: Path, name: str, text: str, lines: tuple[str, ...] | None
) -> None:
    root = project(tmp_path / "repository" / "app").parent
    (root.parent / ".git").mkdir()
    file = root.parent / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    source = find_source(root, root, "pip")
    if lines == ():
        assert source is None
    else:
        assert source is not None
        assert (source.file, source.lines) == (file, lines)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("", True),
        (">=3.11", True),
        (">=3.12", False),
        (">3.11.6,<4", True),
        (">3.11.7", False),
        ("<3.11", False),
        ("<=3.11.7", True),
        ("==3.11.*", True),
        ("==3.10.*", False),
        ("!=3.11.7", False),
        ("!=3.10.*", True),
        ("~=3.10", True),
        ("~=3.11.8", False),
        ("~=3.9.1", False),
    ],
)
def test_releases_of_python_that_a_project_is_for(asked: str, *, fits: bool) -> None:
    assert is_for(asked, (3, 11, 7)) is fits


FROM_HERE = [
    *(
        ("pip", "requirements.txt", line)
        for line in (
            "./lib[extra]",
            "./lib ; python_version > '3'",
            "lib/ # ours",
            "lib @ file:./lib",
            "lib@file://ROOT/lib",
            "lib/setup.py",
            "-e lib",
            "-f ./lib",
            "--find-links=lib",
            ".",
        )
    ),
    ("uv", "uv.lock", "[[package]]\nname = 'lib'\nsource = {directory = 'lib'}"),
    ("uv", "uv.lock", "[[package]]\nname = 'lib'\nsource = {path = 'lib/setup.py'}"),
    ("poetry", "poetry.lock", "[[package]]\nname = 'lib'\nsource = {type = 'file', url = 'lib/setup.py'}"),
    ("pip", "pyproject.toml", "[project]\ndependencies = ['lib @ file:./lib']"),
]


@pytest.mark.parametrize(("toolchain", "file", "said"), FROM_HERE)
def test_what_is_installed_from_here_is_a_part_of_what_an_environment_is_made_of(
    tmp_path: Path, toolchain: str, file: str, said: str
) -> None:
    """Else the one in the cache is evaluated, with what was installed from here before."""
    root = tmp_path / "app"
    project(root, {"pyproject.toml": "", file: said.replace("ROOT", str(root))})
    (root / "lib").mkdir()
    (root / "lib" / "setup.py").write_text("")
    source = find_source(root, root, toolchain)
    assert source is not None
    assert root / "lib" / "setup.py" in source.inputs


@pytest.mark.parametrize(
    ("pyproject", "python"),
    [
        ("[project]\nrequires-python = '>=3.12'", ">=3.12"),
        # A path is none: uv would start what is there.
        ("[project]\nrequires-python = './evil9'", ""),
        ("[project]\nrequires-python = 'evil9'", ""),
        ("[project]\nrequires-python = '>=3.11,/tmp/evil9'", ""),
        ("[tool.poetry.dependencies]\npython = '/tmp/evil9'", ""),
        ("[project]\nrequires-python = ' >= 3.11, != 3.12.*, <4'", " >= 3.11, != 3.12.*, <4"),
        ("[tool.poetry.dependencies]\npython = '^3.9'", ">=3.9,<4"),
        ("[tool.poetry.dependencies]\npython = '~3.9 || ^3.10'", ""),
        ("", ""),
    ],
)
def test_the_python_that_a_project_asks_for_is_read(tmp_path: Path, pyproject: str, python: str) -> None:
    root = project(tmp_path / "app", {"poetry.lock": "", "pyproject.toml": pyproject}).parent
    source = find_source(root, root, "poetry")
    assert source is not None
    assert source.python == python


def test_what_poetry_locks_as_a_folder_is_imported_from_there(tmp_path: Path) -> None:
    root = project(tmp_path / "app", {"poetry.lock": POETRY_LOCK, "pyproject.toml": ""}).parent
    source = find_source(root, root, "poetry")
    assert source is not None
    assert source.importable == (root / "src", root, tmp_path / "beside" / "src", tmp_path / "beside")


def test_what_is_included_and_installed_from_a_folder_is_a_part_of_it(tmp_path: Path) -> None:
    root = project(
        tmp_path / "app", {"requirements.txt": "-r more.txt\n-e ./sdk\n", "more.txt": "-c requirements.txt"}
    ).parent
    (root / "sdk").mkdir()
    (root / "sdk" / "setup.py").touch()
    source = find_source(root, root, "pip")
    assert source is not None
    assert [path.relative_to(root).as_posix() for path in source.inputs] == [
        "requirements.txt",
        "more.txt",
        "sdk/setup.py",
    ]


def test_it_is_made_once_and_anew_when_what_it_is_made_of_changes(tmp_path: Path, own_cache: Path) -> None:
    file = project(tmp_path / "app", {"requirements.txt": f"{wheel(tmp_path)}\n"}, virtualenv="venv")
    first = program_environment.changes(file, os.environ)
    again = program_environment.changes(file, os.environ)
    assert first == again
    made = Path(str(first[PROGRAM_ENVIRONMENT]))
    assert made.parent == own_cache
    code = "import shared_names, pulumi; print(shared_names.VERSION)"
    said = subprocess.run([made / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"
    file.with_name("requirements.txt").write_text(f"{wheel(tmp_path, version='2')}\n")
    assert program_environment.changes(file, os.environ) != first
    assert sorted(path.name for path in file.parent.iterdir()) == ["Pulumi.yaml", "requirements.txt"]


def test_where_the_project_has_one_or_asks_for_nothing_none_is_made(tmp_path: Path, own_cache: Path) -> None:
    there = project(tmp_path / "there", {"requirements.txt": "pulumi\n"}, virtualenv="venv")
    (there.parent / "venv" / "bin").mkdir(parents=True)
    (there.parent / "venv" / "bin" / "python").touch()
    other = project(tmp_path / "other", {"requirements.txt": "pulumi\n"})
    other.write_text("name: other\nruntime: yaml\n")
    for file in (there, project(tmp_path / "bare"), other):
        assert program_environment.changes(file, os.environ) == {}
    named = project(tmp_path / "named", virtualenv="../env")
    assert program_environment.changes(named, os.environ)[PROGRAM_ENVIRONMENT] == sys.prefix
    assert not own_cache.exists()


def test_where_packages_contradict_the_project_its_own_words_hold(
    tmp_path: Path, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As three of Pulumi's own examples do."""
    one, other = wheel(tmp_path, "one", "1"), wheel(tmp_path, "other", "1", needs="one>=2")
    file = project(
        tmp_path / "app", {"requirements.txt": f"one @ {one.as_uri()}\nother @ {other.as_uri()}\n"}
    )
    made = Path(str(program_environment.changes(file, os.environ)[PROGRAM_ENVIRONMENT]))
    assert made.parent == own_cache
    assert {path.name for path in made.glob("lib/*/site-packages/o*.py")} == {"one.py", "other.py"}
    assert "contradict it" in capsys.readouterr().err


OLD_SDK = """
[[package]]
name = "pulumi"
version = "2.1"

[[package]]
name = "pulumi-x"
version = "1"

[[package]]
name = "beside"
version = "0.1.0"
source = {type = "directory", url = "../beside"}
"""


def test_an_old_sdk_that_poetry_locks_gets_what_it_ran_with(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder of wheels that pip's settings name: pip's file, and a variable that goes before it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "pulumi", "2.1")
    wheel(wheels, "pulumi_x", "1", more={"pulumi_x/utilities.py": "import pkg_resources"})
    for name, versions in {"setuptools": ("80.8", "82"), "protobuf": ("3.99", "5.1")}.items():
        for version in versions:
            wheel(wheels, name, version)
    (tmp_path / "pip.conf").write_text(f"[global]\nno-index = false\n[install]\nfind-links = {wheels}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_NO_INDEX", "true")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    (tmp_path / "beside" / "src").mkdir(parents=True)
    (tmp_path / "beside" / "src" / "common_parts.py").write_text("HERE = __file__\n")
    file = project(tmp_path / "app", {"poetry.lock": OLD_SDK, "pyproject.toml": ""}, toolchain="poetry")
    made = Path(str(program_environment.changes(file, os.environ)[PROGRAM_ENVIRONMENT]))
    assert made.parent == own_cache
    (packages,) = made.glob("lib/python3*/site-packages")
    installed = {path.name.removesuffix(".dist-info") for path in packages.glob("*.dist-info")}
    assert installed == {"pulumi-2.1", "pulumi_x-1", "setuptools-80.8", "protobuf-3.99"}
    code = "import common_parts; print(common_parts.HERE)"
    said = subprocess.run([made / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    assert Path(said.stdout.strip()).resolve() == tmp_path / "beside" / "src" / "common_parts.py"


PIP: Mapping[str, dict[str, str]] = {
    "[global]\nindex-url = https://one/simple\n": {"UV_DEFAULT_INDEX": "https://one/simple"},
    "[global]\nno-index = yes\n[install]\nno-index = no\n": {"UV_NO_INDEX": "no"},
    "[install]\nfind-links =\n  a\n  b\n": {"UV_FIND_LINKS": "a b"},
    "[global]\ncert = /of/the/file\n": {"SSL_CERT_FILE": "/of/the/variable"},
    # What pip cannot read, it says itself.
    "no section": {},
    "\xff": {},
}


@pytest.mark.parametrize("text", PIP)
def test_settings_of_pip_are_uvs(tmp_path: Path, text: str) -> None:
    """With those of the machine's own file, where it has one."""
    (tmp_path / "pip.conf").write_text(text, encoding="latin-1")
    base = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    variables = {"PIP_CERT": "/of/the/variable"} if "SSL_CERT_FILE" in PIP[text] else {}
    found = settings_of_pip({**base, **variables})
    machines = settings_of_pip({"HOME": str(tmp_path)})
    assert dict(found.items() - machines.items()) == PIP[text]


def test_without_uv_no_environment_is_made_and_that_is_said(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bin" / "python"
    bare.parent.mkdir()
    bare.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setenv("PATH", str(bare.parent))
    file = project(tmp_path / "app", {"requirements.txt": "pulumi\n"})
    with pytest.raises(Failure, match="there is no uv") as failure:
        program_environment.changes(file, os.environ)
    assert failure.value.where == str(file.with_name("requirements.txt"))
    assert "pip install uv" in failure.value.fix
    assert not own_cache.is_dir() or not [path for path in own_cache.iterdir() if path.is_dir()]


@pytest.mark.parametrize("there", ["app/uv.lock", "app/pyproject.toml", "uv.lock", "Pulumi.yaml"])
def test_an_environment_of_uv_lies_beside_its_lock(tmp_path: Path, own_cache: Path, there: str) -> None:
    """A project that uv has made one for runs in that; beside the lock of a workspace, above the project."""
    file = project(tmp_path / "app", toolchain="uv")
    (tmp_path / ".git").mkdir()
    (tmp_path / there).touch()
    folder = (tmp_path / there).parent if there != "Pulumi.yaml" else tmp_path / "app"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").touch()
    assert program_environment.changes(file, os.environ) == {}
    assert not own_cache.exists()


def test_the_official_host_is_given_an_interpreter_that_knows_programs(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapgate.embedded.toolchain.search.is_build", official)
    named = project(tmp_path / "named", virtualenv="../env")
    other = tmp_path / "other python"
    other.write_text('#!/bin/sh\necho "the gate\'s own: $*"\n')
    other.chmod(0o755)
    changed = program_environment.changes(named, {"PULUMI_PYTHON_CMD": str(other)})
    assert changed[PROGRAM_ENVIRONMENT] == sys.prefix
    python = str(changed["PULUMI_PYTHON_CMD"])
    assert own_cache.parent in Path(python).parents
    script = tmp_path / "pulumi-language-python-exec"
    script.write_text("import sys; print(sys.prefix)")
    for words, said in {(str(script),): sys.prefix, ("-u", "pack"): "the gate's own: -u pack"}.items():
        done = subprocess.run([python, *words], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": "no-such-package-here==1\n"}, "no-such-package-here"),
        ({"requirements.txt": "pulumi >== 3\n"}, "requirements.txt"),
        ({"poetry.lock": "= [", "pyproject.toml": ""}, "Invalid"),
    ],
)
def test_what_cannot_be_installed_is_said_and_leaves_nothing(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], said: str
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Failure) as failure:
        program_environment.changes(project(tmp_path / "app", files), os.environ)
    assert said in failure.value.why
    assert failure.value.where.startswith(str(tmp_path / "app"))
    assert not [path for path in own_cache.glob("*") if path.is_dir()]


BACKEND = """\
import os, subprocess, zipfile

{code}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    build()
    info, name = "{name}-{version}.dist-info", "{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("{name}.py", "VERSION = '{version}'")
        archive.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        archive.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "/RECORD", "")
    return name
"""
ASKS_FOR_ITS_PLUG_IN = """\
def build():
    subprocess.check_call(["pulumi", "plugin", "install", "resource", "{name}", "{version}"])
"""
OF_ITS_TIME = """\
def build():
    import cython
    assert cython.VERSION < "3", "'build_ext' has no attribute 'cython_sources'"
"""
LACKS_A_HEADER = """\
def build():
    raise RuntimeError("libpq-fe.h is missing")
"""


def package_source(folder: Path, name: str, version: str, code: str, needs: str = "") -> Path:
    """The folder of a package's source, built by code of its own."""
    root = folder / f"{name}-{version}"
    root.mkdir(parents=True)
    (root / "PKG-INFO").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "{version}"\n'
        f'[build-system]\nrequires = [{needs}]\nbuild-backend = "own"\nbackend-path = ["."]\n'
    )
    text = BACKEND.replace("{code}", code).replace("{name}", name).replace("{version}", version)
    (root / "own.py").write_text(text)
    return root


def sdist(folder: Path, name: str, version: str, code: str, needs: str = "") -> Path:
    """A package that exists as source alone, as older SDKs of Pulumi do."""
    root = package_source(folder / "source", name, version, code, needs)
    path = folder / f"{root.name}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(root, root.name)
    return path


def installed_in(file: Path) -> Path:
    return Path(str(program_environment.changes(file, os.environ)[PROGRAM_ENVIRONMENT]))


def installed(file: Path) -> set[str]:
    made = installed_in(file)
    return {path.name.removesuffix(".dist-info") for path in made.glob("lib/*/site-packages/*.dist-info")}


@pytest.mark.parametrize("toolchain", ["pip", "poetry", "uv"])
def test_a_package_that_asks_for_its_plug_in_while_it_is_built_gets_along_without(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, toolchain: str
) -> None:
    """As every older SDK does; the plug-in's server may be out of reach, and the gate has no use for it."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "pulumi").write_text("#!/bin/sh\necho cannot reach the server >&2\nexit 1\n")
    (bin_folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_folder), prepend=os.pathsep)
    source = sdist(tmp_path, "pulumi_old", "4.38.1", ASKS_FOR_ITS_PLUG_IN).as_uri()
    pyproject = (
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["pulumi_old @ {source}"]\n'
    )
    lock = (
        f'[[package]]\nname = "pulumi-old"\nversion = "4.38.1"\nsource = {{type = "url", url = "{source}"}}\n'
    )
    files = {
        "pip": {"requirements.txt": f"pulumi_old @ {source}\n"},
        "poetry": {"pyproject.toml": pyproject, "poetry.lock": lock},
        "uv": {"pyproject.toml": pyproject},
    }[toolchain]
    file = project(tmp_path / "app", files, toolchain=toolchain)
    if toolchain == "uv":
        subprocess.run(
            [str(Path(sys.executable).with_name("uv")), "lock", "--offline", "--quiet"],
            cwd=file.parent,
            env={**os.environ, "UV_PYTHON": sys.executable},
            check=True,
        )
        # One that is not there is no reason to put another environment in place of the one that is made.
        (file.parent / ".python-version").write_text("3.99.1\n")
    assert installed(file) == {"pulumi_old-4.38.1"}
    assert own_cache.is_dir()


@pytest.mark.usefixtures("own_cache")
def test_requirements_of_another_time_are_installed_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build that today's Cython fails, a grpcio without a wheel for this Python, git as editable."""
    for version in ("0.29", "3.1"):
        wheel(tmp_path, "cython", version)
    sdist(tmp_path, "oldyaml", "5.4.1", OF_ITS_TIME, needs='"cython"')
    sdist(tmp_path, "grpcio", "1.47.0", LACKS_A_HEADER)
    wheel(tmp_path, "grpcio", "1.80")
    repository = package_source(tmp_path / "git", "ours", "1", "def build(): pass\n")
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    more = {"more.txt": "oldyaml==5.4.1\n"}
    asked = (
        f"-r more.txt\njson\npkg-resources==0.0.0\ngrpcio==1.47.0\n-e git+{repository.as_uri()}#egg=ours\n"
    )
    file = project(tmp_path / "app", {"requirements.txt": asked, **more})
    assert installed(file) == {"oldyaml-5.4.1", "grpcio-1.80", "ours-1"}
    said = capsys.readouterr().err
    assert "by those of its time" in said
    assert "the grpcio that it asks for" in said
    assert "editable" in said
    assert "of Python's own modules is left out" in said


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("pulumi>=2.0.0,<3.0.0\npulumi-aws>=2.4\n", ["--exclude-newer-package=pulumi-aws=2021-04-19"]),
        ("pulumi == 2.25.2\npulumi_random\n", ["--exclude-newer-package=pulumi_random=2021-04-19"]),
        ("pulumi<3\nrequests\n", []),
        ("pulumi>=3.0.0,<4.0.0\npulumi-aws<3\n", []),
        ("pulumi<3.100\npulumi-aws\n", []),
    ],
)
def test_sdks_of_a_pulumi_before_3_are_those_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, options: list[str]
) -> None:
    """Of hundreds of releases uv would look for one that goes with it, for many minutes."""
    seen: list[str] = []

    def install(_uv: Uv, *what: str) -> None:
        seen.extend(what)

    monkeypatch.setattr(Uv, "install", install)
    file = project(tmp_path / "app", {"requirements.txt": asked})
    program_environment.changes(file, os.environ)
    assert seen[: len(options) + 2] == [*options, "-r", str(file.with_name("requirements.txt"))]


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("asked", "version"), [("pulumi>=3", "3.1"), ("pulumi==99", "99"), ("pulumi>4", "99")]
)
def test_the_sdk_is_no_newer_than_the_cli_unless_it_has_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, version: str
) -> None:
    """Newer ones take the id of a resource that they get from an answer of the engine's that has none."""
    for one in ("3.1", "99"):
        wheel(tmp_path, "pulumi", one)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert installed(project(tmp_path / "app", {"requirements.txt": asked})) == {f"pulumi-{version}"}


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(("asked", "times"), [("nowhere==1", 1), ("pulumi==100", 2)])
def test_what_cannot_be_installed_is_tried_again_only_without_the_bound_that_kept_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, times: int
) -> None:
    seen: list[tuple[str, ...]] = []
    install = Uv.install

    def noted(uv: Uv, *what: str) -> None:
        seen.append(what)
        install(uv, *what)

    wheel(tmp_path, "pulumi", "99")
    monkeypatch.setattr(Uv, "install", noted)
    monkeypatch.setattr(program_environment, "_REMEDIES", {})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(Failure):
        installed(project(tmp_path / "app", {"requirements.txt": asked}))
    assert ["--constraints" in one for one in seen] == [True, False][:times]


@pytest.mark.usefixtures("own_cache")
def test_a_program_that_looks_for_versions_by_pkg_resources_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("80.8", "82"):
        wheel(tmp_path, "setuptools", version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    file = project(tmp_path / "app", {"requirements.txt": "", "__main__.py": "import pkg_resources\n"})
    assert installed(file) == {"setuptools-80.8"}


@pytest.mark.usefixtures("own_cache")
def test_what_a_program_imports_without_asking_for_it_is_installed_besides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of Pulumi's and AWS's own packages alone, in a release that goes with what is asked for."""
    wheel(tmp_path, "pulumi_tls", "4", needs="base<4")
    wheel(tmp_path, "pulumi_tls", "5", needs="base>=5")
    for name, version in (("base", "3"), ("base", "5"), ("pulumi_evil", "1"), ("pulumi_vault", "2")):
        wheel(tmp_path, name, version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    code = "import pulumi_tls as tls\nimport pulumi_evil, pulumi_vault as vault\nfrom pulumi import random\n"
    file = project(tmp_path / "app", {"requirements.txt": "base<5\n", "__main__.py": code})
    assert installed(file) == {"base-3", "pulumi_tls-4", "pulumi_vault-2"}
    assert "does not ask for pulumi_tls, pulumi_vault, which the program imports" in capsys.readouterr().err


@pytest.mark.usefixtures("own_cache")
def test_where_no_file_says_anything_what_a_program_imports_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pulumi", "pulumi_aws", "pulumi_newish", "pulumi_tls", "pulumi_random"):
        wheel(tmp_path, name, "9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    code = "import pulumi_random\nimport pulumi_tls\nimport pulumi_newish\n"
    file = project(tmp_path / "app", {"__main__.py": code})
    assert installed(file) == {"pulumi-9", "pulumi_aws-9", "pulumi_tls-9", "pulumi_random-9"}
    (file.parent / "__main__.py").write_text("import pulumi_aws\n")
    assert program_environment.changes(file, os.environ) == {}


@pytest.mark.usefixtures("own_cache")
def test_a_lock_for_another_python_is_tried_with_what_lies_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no interpreter is there that the project asks for; else that one makes the environment."""
    wheel(tmp_path, "base", "3")
    lock = f"""version = 1
requires-python = ">=3.99"
[[package]]
name = "app"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "base" }}, {{ name = "beside" }}]
[[package]]
name = "base"
version = "3"
source = {{ registry = "{tmp_path}" }}
wheels = [{{ path = "base-3-py3-none-any.whl" }}]
[[package]]
name = "beside"
version = "1"
source = {{ editable = "../beside" }}
"""
    pyproject = """[project]
name = "app"
version = "1"
requires-python = ">=3.99"
dependencies = ["base", "beside"]
[tool.uv.sources]
beside = { path = "../beside", editable = true }
"""
    (tmp_path / "beside" / "src").mkdir(parents=True)
    (tmp_path / "beside" / "src" / "common_parts.py").write_text("HERE = __file__\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    file = project(tmp_path / "app", {"uv.lock": lock, "pyproject.toml": pyproject}, toolchain="uv")
    made = Path(str(program_environment.changes(file, os.environ)[PROGRAM_ENVIRONMENT]))
    assert "asks for Python >=3.99: there is 3." in capsys.readouterr().err
    code = "import base, common_parts; print(common_parts.HERE)"
    done = subprocess.run([made / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "beside" / "src" / "common_parts.py"


@pytest.mark.usefixtures("own_cache")
def test_modules_of_the_repository_above_a_program_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its own folder and what is installed go before; what lies outside of the repository is not."""
    wheel(tmp_path, "base", "3")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    repository = tmp_path / "repository"
    for name in (
        "common/__init__.py",
        "sdk/python/pulumi_ours/__init__.py",
        "infra/base.py",
        "../outside.py",
    ):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("HERE = __file__\n")
    (repository / ".git").mkdir()
    code = "import json, base\nfrom common import HERE\n  import pulumi_ours\nimport outside\n"
    files = {"requirements.txt": "base\n", "__main__.py": code}
    made = installed_in(project(repository / "infra" / "app", files))
    code = "import base, common, pulumi_ours; print(base.VERSION, common.HERE, pulumi_ours.HERE)"
    done = subprocess.run([made / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    paths = [repository / one / "__init__.py" for one in ("common", "sdk/python/pulumi_ours")]
    assert done.stdout.split() == ["3", *map(str, paths)]
    done = subprocess.run([made / "bin" / "python", "-c", "import outside"], capture_output=True, check=False)
    assert done.returncode == 1


@pytest.mark.usefixtures("own_cache")
def test_a_python_that_the_project_asks_for_is_found_among_those_of_pyenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here one that says it is another; uv starts what it finds to learn its version."""
    here = ".".join(map(str, sys.version_info[:2]))
    found = tmp_path / "pyenv" / "versions" / here / "bin" / f"python{here}"
    found.parent.mkdir(parents=True)
    found.symlink_to(Path(sys.executable).resolve())
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program_environment, "is_for", never)
    pyproject = f"[project]\nname = 'a'\ndependencies = ['base']\nrequires-python = '=={here}.*'"
    wheel(tmp_path, "base", "3")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    made = installed_in(project(tmp_path / "app", {"pyproject.toml": pyproject}))
    assert f"home = {found.parent}" in (made / "pyvenv.cfg").read_text()


@pytest.mark.usefixtures("own_cache")
def test_its_dynamic_providers_are_served_in_it(tmp_path: Path) -> None:
    """The project names an environment that is not there, as a fresh checkout's does."""
    file = project(
        tmp_path / "app", {"requirements.txt": wheel(tmp_path).as_uri()}, toolchain="pip", virtualenv="venv"
    )
    changed = program_environment.changes(file, os.environ)
    found = shutil.which("pulumi-resource-pulumi-python", path=str(changed["PATH"]))
    assert found is not None
    environment = {**os.environ, "PULUMI_RUNTIME_VIRTUALENV": "venv"}
    with subprocess.Popen(
        [found, "127.0.0.1:1"], cwd=file.parent, env=environment, stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        port = served.stdout.readline()
        served.kill()
    assert port.strip().isdecimal()


@pytest.mark.usefixtures("own_cache")
def test_a_build_that_fails_is_one_line_with_its_reason_and_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    source = sdist(tmp_path, "dbdriver", "2.1", LACKS_A_HEADER)
    file = project(tmp_path / "app", {"requirements.txt": f"dbdriver @ {source.as_uri()}\n"})
    with pytest.raises(Failure) as failure:
        program_environment.changes(file, os.environ)
    assert failure.value.where == str(file.with_name("requirements.txt"))
    assert failure.value.why.startswith(f"dbdriver @ {source.as_uri()} comes as source, which Python 3.")
    assert failure.value.why.endswith("does not build: RuntimeError: libpq-fe.h is missing")
    assert failure.value.fix.startswith("let requirements.txt ask for a release that has a wheel")


PROGRAM = """\
import pulumi
import pulumi_aws as aws
import shared_names

aws.kms.Key(shared_names.KEY, enable_key_rotation=True)
aws.s3.BucketObject("code", bucket="shared", source=pulumi.FileAsset("build/code.zip"))
"""


@pytest.mark.cli
def test_a_program_runs_in_it_after_its_build_step(
    tmp_path: Path, backend: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the user's own cache, where the CLI is: what is made there is removed again."""
    assert backend
    files = {"requirements.txt": f"{wheel(tmp_path)}\n", "__main__.py": PROGRAM}
    file = project(tmp_path / tmp_path.name, files, toolchain="pip", virtualenv="venv")
    build = "mkdir build && echo built > build/code.zip && echo it is built"
    try:
        code = main(["preview", "-C", str(file.parent), "--install", "--before", build])
    finally:
        for made in (cache_root() / "program-environments").glob(f"*{tmp_path.name}-*"):
            remove_tree(made) if made.is_dir() else made.unlink()
    out, err = capfd.readouterr()
    assert code == 0, out + err
    assert "✓ kms-key-rotation" in out
    assert "it is built" in err
    boxed = isinstance(sandbox.look(), sandbox.Sandbox)
    # Outside of a sandbox the interpreter may leave what it compiled.
    there = {path.name for path in file.parent.iterdir()} - (set() if boxed else {"__pycache__"})
    assert there == {"Pulumi.yaml", "__main__.py", "build", "requirements.txt"}
    assert (tmp_path / "reached").exists() is not boxed


@pytest.mark.cli
def test_a_build_step_that_fails_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = project(tmp_path / "app")
    code = main(["preview", "-C", str(file.parent), "--before", "echo no compiler; exit 3"])
    said = " ".join(capfd.readouterr().err.split())
    assert code == 2
    assert "no compiler" in said
    assert (
        f"The build step failed. where echo no compiler; exit 3, in {file.parent} why it ended with" in said
    )
