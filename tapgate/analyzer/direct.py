"""Evaluates a pack that offers itself as a function over a state's resources, without the protocol.

The pack of this repository does: `tap_guardrails.evaluate`. A test holds its answers equal to those that it
gives over the protocol. In an audit its function is called in the worker; a preview's verdict comes from a
process of its own, which is given the state and nothing else.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from tapgate.events import EventLog, PolicyEvent, PolicySummary
from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sanitized_lines, sequence, text, texts

if TYPE_CHECKING:
    from types import ModuleType

    from tapgate.analyzer.deployment import Deployment
    from tapgate.packs import RequestedPack

_MODULE: Final = "tap_guardrails"
_SECONDS: Final = 300.0

Request = dict[str, object]
Answer = dict[str, object]


def offers_itself(pack: RequestedPack) -> bool:
    """Say whether a pack can be called."""
    return (pack.folder / _MODULE / "state.py").is_file()


def stack_config(project: str, config: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """Return a stack's config by full key, each value as the engine passes it on, and the keys of secrets."""
    full = {key if ":" in key else f"{project}:{key}": value for key, value in config.items()}
    secrets = [key for key, value in full.items() if list(mapping(value)) == ["secure"]]
    # What is no text goes on as JSON, which has no days as YAML has.
    return {
        key: "" if key in secrets else value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in full.items()
    }, secrets


def request_for(deployment: Deployment, pack: RequestedPack, config: Mapping[str, object]) -> Request:
    """Return what the function is called with for a state, of a stack that has a config."""
    texts_by_key, secrets = stack_config(deployment.project, config)
    return {
        "resources": [{**one.body, "urn": one.urn, "type": one.type} for one in deployment.resources],
        "config": dict(pack.body),
        "stack_config": texts_by_key,
        "secret_keys": secrets,
    }


def called(folder: Path, request: Request) -> Answer:
    """Call the function of the pack in a folder, in this process.

    Raises:
        CouldNotRunError: it cannot be imported from its folder, or refuses its config.
    """
    module = _imported(folder)
    evaluate: Callable[..., Any] = module.evaluate
    try:
        done = evaluate(
            request["resources"],
            request["config"],
            stack_config=request["stack_config"],
            secret_keys=request["secret_keys"],
        )
    except ValueError as error:
        raise _failure(folder, str(error)) from error
    return {
        "name": cast("str", module.PACK_NAME),
        "version": cast("str", module.PACK_VERSION),
        "findings": [[one.policy, one.urn, one.level, one.severity, one.message] for one in done.findings],
        "offered": sorted(
            {name for one in done.resources for name in (*one.passed, *one.failed, *one.not_applicable)}
        ),
        "resources": [_summed(one) for one in done.resources],
        "stack": _summed(done.stack),
        "coverage": dict(done.coverage),
    }


def called_apart(pack: RequestedPack, request: Request) -> Answer:
    """Call the pack's function in a process that starts for it and ends with its answer.

    Raises:
        CouldNotRunError: it gives none.
    """
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); from tapgate.analyzer.direct import main; main()"
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, str(pack.folder)],
            input=msgspec.json.encode(request),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise _failure(pack.folder, f"it gave no answer within {_SECONDS:.0f} seconds") from None
    if done.returncode != 0:
        from tapgate.diagnose import without_traceback  # noqa: PLC0415 - only of a pack that failed

        said = without_traceback(sanitized_lines(done.stderr.decode("utf-8", "replace")))
        raise _failure(pack.folder, *said[-12:])
    return msgspec.json.decode(done.stdout, type=Answer)


def main() -> None:
    """Answer the request on standard input, on standard output; the pack's folder is the argument."""
    # The process ends with its answer: nothing is worth collecting.
    gc.disable()
    atexit.register(gc.freeze)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    sys.stdout.buffer.write(msgspec.json.encode(called(Path(sys.argv[1]), request)))


def take(log: EventLog, folder: Path, answer: Answer, root: str) -> None:
    """Add a pack's answer to a run's events; a finding of no resource of the state goes to `root`'s URN."""
    from tapgate.project import read_yaml  # noqa: PLC0415 - the pack's own process does without

    name = text(answer["name"])
    version = text(read_yaml(folder / "PulumiPolicy.yaml", "policy pack's project file").get("version"))
    log.packs[f"{name}|local|{folder}"] = version or text(answer["version"])
    for one in sequence(answer["findings"]):
        policy, urn, level, severity, message = map(str, sequence(one))
        of = urn if urn in log.declared or urn in log.looked_up else root
        log.findings.append(PolicyEvent(of, message, policy, name, level, severity))
    log.offered.setdefault(name, set()).update(texts(answer["offered"]))
    for one in map(mapping, sequence(answer["resources"])):
        passed, failed = texts(one["passed"]), texts(one["failed"])
        log.analyzed.append(PolicySummary(text(one["urn"]), name, passed, failed))
    stack = mapping(answer["stack"])
    log.stack_analyzed.append(PolicySummary("", name, texts(stack["passed"]), texts(stack["failed"])))
    if "coverage" in answer:
        coverage = mapping(answer["coverage"])
        log.coverage.setdefault(name, {}).update({urn: text(what) for urn, what in coverage.items()})


def _summed(one: Any) -> dict[str, object]:  # noqa: ANN401 - the pack's own
    return {"urn": one.urn, "passed": list(one.passed), "failed": list(one.failed)}


def _imported(folder: Path) -> ModuleType:
    """Import the pack's module, from its folder and from nowhere else."""
    if _MODULE not in sys.modules:
        sys.path.insert(0, str(folder))
    module = importlib.import_module(_MODULE)
    if Path(str(module.__file__)).resolve().parent != (folder / _MODULE).resolve():
        raise _failure(folder, f"{module.__file__} has its name already in this process")
    return module


def _failure(folder: Path, *problem: str) -> CouldNotRunError:
    return CouldNotRunError(
        "The policy pack does not run.",
        where=str(folder),
        why="a pack that does not run protects nothing, so this is never a pass.",
        fix="correct the pack or its config (its own words are below).",
        details=problem,
    )
