"""Every check and every job of the project: `nox -l` lists them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "typecheck", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True

ROOT = Path(__file__).parent
PYTHON_FOLDERS = ("program", "policypack", "lambdas", "tapgate", "tests", "noxfile.py")
# What needs the package index besides is proven by `build`.
PARALLEL = ("-n", "auto", "--dist", "loadgroup", "--ignore=tests/wheel")
DEPLOYMENTS = ("tests/integration", "tests/tapgate/test_deploy.py")
# Tests start the engine hundreds of times, for seconds each: no garbage is collected below a gigabyte. What
# they install is imported once or twice, which is less than to compile all of it.
SHORT_LIVED = {"GOGC": "off", "GOMEMLIMIT": "1GiB", "UV_COMPILE_BYTECODE": "0"}
LOCKS = (
    "test",
    "program",
    "policypack",
    "lambdas",
    "tapgate",
    "embedded",
    "lint",
    "typecheck",
    "checkov",
    "data",
    "nox",
    "build",
)
ACTIONLINT = "v1.7.12"
# Younger than this actionlint: the workflow's own repository, at the commit that runs.
SELF_REPOSITORY = r'"\$/\S+" at "uses" is not following'

# What the engine itself installs, for the component and for the pack, lies where it looks for it.
LOCK_FILES = {group: f"{group}/requirements.txt" for group in ("program", "policypack")}

# A machine behind a TLS-inspecting proxy trusts its own authority; uv wants that said.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")
# The pack, the component and the stand-in provider import grpc at every start: compile it once.
os.environ.setdefault("UV_COMPILE_BYTECODE", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def install(session: nox.Session, group: str) -> None:
    """Install one dependency group from its lock, hashes checked."""
    session.install("--quiet", "--require-hashes", "-r", f"requirements/{group}.txt")


def install_for_tests(session: nox.Session) -> None:
    """Install what the tests need, compiled but for most of what they never import: half of the time.

    What a program imports has to be: in a sandbox nothing can leave its bytecode.
    """
    session.install("--quiet", "--require-hashes", "-r", "requirements/test.txt", env=SHORT_LIVED)
    services = r"pulumi_aws/(?!_|[^/]*\.py|(cloudwatch|config|dynamodb|iam|kms|lambda_|s3|sns|sqs)/)"
    never = rf"/site-packages/({services}|pygments/|setuptools/|.*/tests/)|^\w+/venv/"
    # The project's own as well: else each worker compiles it, and each process that starts meanwhile.
    folders = (f"{session.virtualenv.location}/lib", "program", "policypack", "lambdas", "tapgate")
    session.run_install("python", "-m", "compileall", "-q", "-j", "0", "-x", never, *folders)


LAST_RELEASES = ("3.38.1", "4.38.1", "5.43.0", "6.83.4")
"""The last release of each older major version of pulumi_aws."""


def take_option(args: list[str], name: str, default: str) -> str:
    """Remove `name VALUE` from the arguments and return the value, or the default."""
    if name not in args:
        return default
    position = args.index(name)
    if position + 1 == len(args):
        message = f"{name} needs a value"
        raise SystemExit(message)
    args.pop(position)
    return args.pop(position)


def prepared(aws: str = "embedded") -> tuple[str, ...]:
    """Return what a command follows to run in the prepared environment."""
    return ("python", "-m", "tapgate", "exec", "--aws", aws, "--")


def run_gate(session: nox.Session, command: str) -> None:
    """Run one command of the gate (which prepares what `--aws embedded|real` asks for)."""
    install(session, "embedded")
    session.run("python", "-m", "tapgate", command, *session.posargs)


@nox.session(default=False)
def preview(session: nox.Session) -> None:
    """Run the gate: preview the TAP stack with the policy pack (-- --stack prod --aws real --json FILE)."""
    run_gate(session, "preview")


@nox.session(default=False)
def env(session: nox.Session) -> None:
    """Print the prepared environment for a shell: eval "$(nox -s env)", then plain pulumi."""
    install(session, "embedded")
    # The shell evaluates what is printed: the words for people stay on standard error.
    session.run("python", "-m", "tapgate", "env", *session.posargs, stderr=None)


@nox.session(default=False)
def deploy(session: nox.Session) -> None:
    """Deploy what passed the gate, to an emulator for the session's time (-- --stack prod --aws real)."""
    install(session, "embedded")
    args = list(session.posargs)
    aws = take_option(args, "--aws", "embedded")
    own = aws == "embedded" and not os.environ.get("AWS_ENDPOINT_URL")
    emulator = ("python", "-m", "tapgate.embedded.emulator", "run", "--") if own else ()
    gate = ("python", "-m", "tapgate", "deploy", "--aws", aws, *args)
    # Ctrl-C is the engine's to answer: ended meanwhile, it would leave its state behind.
    session.run(*emulator, *gate, interrupt_timeout=None, terminate_timeout=None)


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """Evaluate the pack over the stacks of a folder or backend and write one report."""
    run_gate(session, "audit")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff (-- --fix corrects), and the workflows with zizmor and actionlint."""
    install(session, "lint")
    session.run("ruff", "check", *session.posargs, *PYTHON_FOLDERS)
    session.run("ruff", "format", *(() if "--fix" in session.posargs else ("--check",)), *PYTHON_FOLDERS)
    # What `tapgate init` writes for others is held to the same.
    workflows = [str(path) for path in sorted(Path(".github/workflows").glob("*.yml"))]
    workflows.append("tapgate/commands/init/github.yml")
    session.run("zizmor", "--offline", "--no-progress", *workflows)
    if shutil.which("go") is None:
        session.warn("actionlint is left out: it is built with Go, and there is none on PATH")
    else:
        command = ("go", "run", f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT}")
        session.run(*command, "-ignore", SELF_REPOSITORY, *workflows, external=True)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check the types, strictly."""
    install(session, "typecheck")
    # Left to itself it would take a `.venv` that lies in the project for the environment to check against.
    python = Path(session.bin) / "python"
    session.run("basedpyright", "--pythonpath", str(python), *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, the real engine's included, but no deployments and no coverage (-- pytest options)."""
    install_for_tests(session)
    whole = (*PARALLEL, *(f"--ignore={path}" for path in DEPLOYMENTS))
    session.run(*prepared(), "python", "-m", "pytest", *(session.posargs or whole), env=SHORT_LIVED)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Measure the branch coverage of tests and integration tests together (-- pytest options)."""
    install_for_tests(session)
    measured = ("--cov", "--cov-report=term", "--hypothesis-profile=coverage", "-m", "not uncounted")
    command = ("python", "-m", "pytest", *PARALLEL, *measured, *session.posargs)
    session.run(*prepared(), *command, env=SHORT_LIVED)


@nox.session(default=False)
def integration(session: nox.Session) -> None:
    """Deploy, exercise and remove the stack, on an emulator (-- --aws real, or -- --provider real)."""
    install_for_tests(session)
    args = list(session.posargs)
    aws, provider = take_option(args, "--aws", "embedded"), take_option(args, "--provider", "stand-in")
    env = {**SHORT_LIVED, "TAP_AWS": aws}
    if provider == "real" and aws == "embedded":
        # Where there is no official plug-in, it says so and fails: the stand-in would prove nothing.
        found = session.run(
            *prepared(), "python", "-m", "tests.integration.official", silent=True, stderr=None
        )
        env["TAP_PROVIDER_FOLDER"] = str(found).strip().splitlines()[-1]
    # On AWS itself all of it is one stack's, whose tests run one after the other.
    dealt = (*PARALLEL, *DEPLOYMENTS) if aws == "embedded" else ("-v", DEPLOYMENTS[0])
    tests = ("python", "-m", "pytest", *(args or ["-ra", *dealt]))
    # As in `deploy`.
    session.run(*prepared(aws), *tests, env=env, interrupt_timeout=None, terminate_timeout=None)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Write the policy reference, the stack's drawing and the pictures (tests tell when they are stale)."""
    install(session, "test")
    reference = ("tap_guardrails.reference", "docs/policies.md")
    session.run("python", "-m", *reference, env={"PYTHONPATH": "policypack"})
    session.run(*prepared(), "python", "-m", "tests.docs.architecture")
    session.run(*prepared(), "python", "-m", "tests.docs.pictures", env={"PYTHONPATH": "policypack"})


@nox.session(default=False)
def data(session: nox.Session) -> None:
    """Write AWS's data that pack and stand-in go by, from published models (-- --check to compare)."""
    install(session, "data")
    session.run("python", "-m", "data", *session.posargs, env={"PYTHONPATH": "policypack"})
    check = [word for word in session.posargs if word == "--check"]
    session.run("python", "-m", "tests.tapgate.embedded.aws_provider.forms_data", *check)
    older: list[str] = []
    for release in LAST_RELEASES:
        folder = Path(session.create_tmp(), release)
        session.install("--quiet", "--no-deps", "--target", str(folder), f"pulumi-aws=={release}")
        older.append(str(folder / "pulumi_aws"))
    session.run("python", "-m", "tests.tapgate.embedded.aws_provider.older_functions_data", *older, *check)
    session.run("python", "-m", "tests.docs.service_authorization", *check)


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build the wheel `tapgate` into dist/ (-- --prove to gate five other projects with it alone)."""
    if "--prove" in session.posargs:
        install(session, "test")
        session.run(*prepared(), "python", "-m", "pytest", "-n0", "-s", "tests/wheel")
        return
    install(session, "build")
    session.run("python", "-m", "hatchling", "build", "-t", "wheel", *session.posargs)


@nox.session(default=False)
def publish(session: nox.Session) -> None:
    """Check the pack as far as it goes without an account, then publish it (-- ORG)."""
    install(session, "embedded")
    check = ("publishable", "policypack", "--changelog", "CHANGELOG.md")
    profiles = (
        "--config",
        "policypack/profiles/baseline.json",
        "--config",
        "policypack/profiles/strict.json",
    )
    session.run("python", "-m", "tapgate", *check, *profiles)
    session.run("python", "-m", "tapgate", "preview", "--stack", "prod")
    if session.posargs:
        session.run(*prepared("real"), "pulumi", "policy", "publish", *session.posargs, "policypack")
    else:
        session.log("the pack is ready; name the organization to publish it to: nox -s publish -- ORG")


def install_checkov(session: nox.Session) -> str:
    """Install Checkov apart, for it pins much that we do not; return its executable."""
    rival = Path(session.create_tmp()) / "checkov"
    uv = ("python", "-m", "uv")
    session.run(*uv, "venv", "--quiet", "--clear", str(rival))
    locked = ("--quiet", "--require-hashes", "-r", "requirements/checkov.txt")
    session.run(*uv, "pip", "install", "--python", str(rival), *locked)
    return str(rival / "bin" / "checkov")


@nox.session(default=False)
def peers(session: nox.Session) -> None:
    """Put the pack beside the verdicts that Checkov gives to the same stacks."""
    install(session, "test")
    env = {"TAP_BENCH_CHECKOV": install_checkov(session)}
    session.run("python", "-m", "pytest", "-n0", "tests/peers", *session.posargs, env=env)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure, as ratios side by side in one run (-- pack preview rehearsal checkov lambdas audit)."""
    install(session, "test")
    env = {"PYTHONPATH": os.pathsep.join(("policypack", "program", "lambdas"))}
    if not session.posargs or "checkov" in session.posargs:
        env["TAP_BENCH_CHECKOV"] = install_checkov(session)
    session.run(*prepared(), "python", "-m", "tests.bench", *session.posargs, env=env)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Compile the dependency groups into requirements/*.txt, hashes included (-- --upgrade)."""
    install(session, "nox")
    for group in LOCKS:
        constraint = (
            () if group in {"test", "checkov", "nox", "build"} else ("--constraint", "requirements/test.txt")
        )
        session.run(
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-header",
            "--no-annotate",
            "--python-version=3.11",
            f"--group={group}",
            *constraint,
            f"--output-file={LOCK_FILES.get(group, f'requirements/{group}.txt')}",
            *session.posargs,
        )
