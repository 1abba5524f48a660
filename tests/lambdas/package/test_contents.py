from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambdas.package.build import FUNCTIONS, LAMBDAS, build, plan

MEGABYTES = 15 * 1000 * 1000


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zips of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    assert all(built.fresh for built in build(folder, plan()))
    return folder


def names(folder: Path, function: str) -> list[str]:
    with zipfile.ZipFile(folder / f"{function}.zip") as archive:
        return archive.namelist()


def test_the_bytes_depend_on_no_folder_run_or_platform(dist: Path, tmp_path: Path) -> None:
    """The host's are those for AWS as long as every wheel is pure."""
    elsewhere = tmp_path / "another place"
    shutil.copytree(LAMBDAS, elsewhere / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted((elsewhere / "lambdas").rglob("*.py")):
        path.touch()
    for built in build(tmp_path / "out", plan(lambdas=elsewhere / "lambdas", platform="host")):
        assert built.fresh
        assert built.path.read_bytes() == (dist / built.path.name).read_bytes()


def test_zips_are_small_enough(dist: Path) -> None:
    for function in FUNCTIONS:
        assert 1_000_000 < (dist / f"{function}.zip").stat().st_size <= MEGABYTES


@pytest.mark.parametrize("function", FUNCTIONS)
def test_entries_are_sorted_and_say_nothing_of_the_machine(dist: Path, function: str) -> None:
    with zipfile.ZipFile(dist / f"{function}.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert not any(str(Path.home()) in entry.filename or entry.filename.startswith("/") for entry in entries)


@pytest.mark.parametrize(("function", "other"), [FUNCTIONS, FUNCTIONS[::-1]])
def test_what_is_in_and_what_is_left_out(dist: Path, function: str, other: str) -> None:
    found = names(dist, function)
    tops = {name.partition("/")[0] for name in found}
    assert {function, "tap_items", "boto3", "botocore", "aws_lambda_powertools"} <= tops
    assert not {other, "package", "tests", "bin"} & tops
    assert "api_document.py" not in found
    services = {name.split("/")[2] for name in found if name.startswith("botocore/data/")}
    assert {service for service in services if "." not in service} == {"dynamodb", "s3", "sqs"}
    unwanted = (".pyi", "RECORD", "METADATA", "INSTALLER", "examples-1.json", ".so")
    assert not [name for name in found if name.endswith(unwanted) or "swagger" in name]
    licences = {name.split(".dist-info")[0].rsplit("-", 1)[0] for name in found if ".dist-info/" in name}
    assert {"boto3", "botocore", "urllib3", "aws_lambda_powertools"} <= licences


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_needs_nothing_that_is_not_in_it(dist: Path, tmp_path: Path, function: str) -> None:
    with zipfile.ZipFile(dist / f"{function}.zip") as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {function}.app; "
        "from tap_items import aws_clients; aws_clients.s3(); aws_clients.dynamodb(); aws_clients.sqs(); "
        "assert not [m for m in sys.modules.values() if 'site-packages' in str(getattr(m, '__file__', ''))]"
    )
    # Not isolated by -I, which would also ignore the region; -S leaves out the site's packages.
    subprocess.run([sys.executable, "-S", "-c", code], check=True, env={"AWS_DEFAULT_REGION": "eu-west-2"})
