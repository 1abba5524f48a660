"""Every check and every job of the project: `nox -l` lists them."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "typecheck", "tests"]
nox.options.reuse_existing_virtualenvs = True

# A machine behind a TLS-inspecting proxy trusts its own authority; uv asks for that to be said.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")
# Every start of the pack, the host and the provider imports grpc: compiled once, not at each start.
os.environ.setdefault("UV_COMPILE_BYTECODE", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).parent
GROUPS = ("test", "program", "policypack", "lambdas", "gate", "local", "lint", "typecheck", "nox")


def install(session: nox.Session, group: str) -> None:
    """Install one dependency group from its lock, hashes checked."""
    session.install("--require-hashes", "-r", f"requirements/{group}.txt")


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Compile the dependency groups into requirements/*.txt, hashes included."""
    session.install("--require-hashes", "-r", "requirements/nox.txt")
    common = ("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url")
    for group in GROUPS:
        constraint = () if group in {"test", "nox"} else ("--constraint", "requirements/test.txt")
        session.run(
            *common,
            "--no-header",
            "--no-annotate",
            "--python-version=3.11",
            f"--group={group}",
            *constraint,
            f"--output-file=requirements/{group}.txt",
            *session.posargs,
        )
