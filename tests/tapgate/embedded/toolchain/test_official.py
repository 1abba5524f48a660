"""The official installer: reached or not within seconds, and what it leaves behind."""

from __future__ import annotations

import http.server
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.toolchain import official
from tapgate.embedded.toolchain.official import obstacle
from tapgate.embedded.toolchain.search import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INSTALLER = """
from pathlib import Path

class PulumiCommand:
    @classmethod
    def install(cls, root):
        bin = Path(root, "bin")
        bin.mkdir()
        for name in ("pulumi", "pulumi-language-python", "pulumi-language-yaml"):
            (bin / name).write_text("#!/bin/sh\\necho {prints}\\n")
            (bin / name).chmod(0o755)
        {then}
"""


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status that its path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """The address of a web server on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a package in Pulumi's place whose installer does as it is told."""

    def put(prints: str = "v3.272.0", then: str = "") -> None:
        folder = tmp_path / "packages" / "pulumi"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "automation.py").write_text(INSTALLER.format(prints=prints, then=then))
        monkeypatch.setenv("PYTHONPATH", str(folder.parent))

    return put


def silent_port() -> socket.socket:
    """A socket that takes connections and never answers."""
    return socket.create_server(("127.0.0.1", 0))


def test_what_can_be_read_has_no_obstacle(site: str) -> None:
    assert obstacle(f"{site}/200") == ""


def test_obstacles_are_named(site: str) -> None:
    assert obstacle(f"{site}/403") == "HTTP 403"
    assert obstacle("http://example.org/install.sh") == "its address is not https"
    with silent_port() as port:
        free = port.getsockname()[1]
    assert "refused" in obstacle(f"http://127.0.0.1:{free}/")
    assert obstacle("https://[") != ""


def test_a_host_that_never_answers_costs_seconds_only() -> None:
    with silent_port() as port:
        assert obstacle(f"http://127.0.0.1:{port.getsockname()[1]}/", seconds=0.2) == "timed out"


def test_looking_up_a_name_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, given_up = threading.Event(), threading.Event()

    def look_up(*_: object) -> list[object]:
        asked.set()
        given_up.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("no_proxy", "*")
    assert obstacle("https://example.org/", seconds=0.5, grace_seconds=0.1) == "no answer"
    assert asked.is_set()
    given_up.set()


def test_an_installation_is_kept_for_the_next_run(
    cache: Path, site: str, installer: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    installer()
    found = official.install(f"{site}/200")
    assert found is not None
    assert str(found.version) == "3.272.0"
    assert found.folder.parent.parent == cache
    assert installed() == found
    assert "tapgate: installing the Pulumi CLI with the official installer" in capsys.readouterr().err
    assert [path.name for path in cache.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"then": "raise OSError('the disk is full')"}, "failed (OSError: the disk is full)"),
        ({"then": "raise SystemExit(4)"}, "failed (exit code 4)"),
        ({"then": "import time; time.sleep(30)"}, "failed (no end after "),
        ({"prints": "v3.1.0"}, "installed cannot be used: it is version 3.1.0"),
    ],
)
def test_an_installer_that_does_not_do_its_work_is_passed_over(
    cache: Path,
    site: str,
    installer: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setattr(official, "INSTALL_SECONDS", 1.0 if "sleep" in options.get("then", "") else 60.0)
    installer(**options)
    assert official.install(f"{site}/200") is None
    assert said in capsys.readouterr().err
    assert [path.name for path in cache.iterdir() if "partial" in path.name] == []


@pytest.mark.usefixtures("cache")
def test_without_a_way_there_nothing_is_installed(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert official.install(f"{site}/503") is None
    assert capsys.readouterr().err == (
        "tapgate: the official installer cannot be reached (HTTP 503); trying the next way\n"
    )
