"""What a cold start does, and what it leaves to later; `python -m tests.bench lambdas` measures it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambdas.package.build import PROJECT, build, plan
from lambdas.package.bytecode import Compiler, compile_tree
from tests.program.recording import declare

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = ("api_handler", "processor")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both zips' contents in one folder, compiled for this Python as they are for Lambda's."""
    folder = tmp_path_factory.mktemp("site")
    for built in build(PROJECT / "dist", plan()):
        with zipfile.ZipFile(built.path) as archive:
            archive.extractall(folder)
    compile_tree(Compiler(sys.executable, ""), folder)
    return folder


def run(site: Path, code: str, **more: str) -> str:
    """Run code in a fresh Python that has the zips' contents only."""
    prelude = f"import sys; sys.path.insert(0, {str(site)!r})\n"
    environment = {"AWS_DEFAULT_REGION": "eu-west-2", "POWERTOOLS_SERVICE_NAME": "tap", **more}
    command = [sys.executable, "-S", "-c", prelude + code]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_the_functions_log_at_the_level_that_the_stack_sets(site: Path, level: str) -> None:
    """Lambda hands its own level over in `AWS_LAMBDA_LOG_LEVEL`, INFO unless the function names one."""
    for function in declare({"log_level": level}).of_type("aws:lambda/function:Function"):
        inputs = cast("dict[str, dict[str, Any]]", function.inputs)
        lambdas = inputs["loggingConfig"].get("applicationLogLevel", "INFO")
        stacks = inputs["environment"]["variables"]["LOG_LEVEL"]
        code = """
import logging
from tap_items.observability import logger
print(logging.getLevelName(logger.log_level))
"""
        assert run(site, code, AWS_LAMBDA_LOG_LEVEL=lambdas, LOG_LEVEL=stacks).strip() == level


UNNEEDED = {
    "api_handler": ("pydantic", "aws_xray_sdk", "requests", "aws_lambda_powertools.utilities.batch"),
    "processor": ("pydantic", "aws_xray_sdk", "requests", "aws_lambda_powertools.event_handler"),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_imported_that_the_function_does_not_need(site: Path, function: str) -> None:
    loaded = run(site, f"import {function}.app; print(*sys.modules)").split()
    assert not set(UNNEEDED[function]) & set(loaded)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_client_is_made_before_it_is_needed(site: Path, function: str) -> None:
    code = f"""
import {function}.app
from tap_items import aws_clients, stack
made = [each.cache_info().currsize for each in (aws_clients.s3, aws_clients.dynamodb, aws_clients.sqs)]
print(made, aws_clients.s3() is aws_clients.s3())
"""
    assert run(site, code).strip() == "[0, 0, 0] True"
