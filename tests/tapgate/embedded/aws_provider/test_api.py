"""Calls of AWS's API to an endpoint that drops a connection, as a busy emulator does now and then."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tapgate.embedded.aws_provider.deploy.aws import Api
from tapgate.embedded.aws_provider.failures import ApiError
from tapgate.embedded.aws_provider.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def dropping(first: int) -> Generator[tuple[Api, list[int]]]:
    """Serve an endpoint that drops the first connections; gives also the count of all of them."""
    seen: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    seen.append(1)
                    if len(seen) > first:
                        connection.sendall(ANSWER)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Api(Settings(endpoint=f"http://127.0.0.1:{server.getsockname()[1]}")), seen
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_call_whose_connection_was_dropped_is_made_again() -> None:
    with dropping(1) as (api, seen):
        assert "TableNames" not in api.call("dynamodb", "eu-west-2", "list_tables", {})
        assert len(seen) == 2


def test_it_is_made_again_once() -> None:
    with dropping(2) as (api, seen):
        with pytest.raises(ApiError, match="Connection was closed"):
            api.call("dynamodb", "eu-west-2", "list_tables", {})
        assert len(seen) == 2


def test_what_would_make_a_second_one_is_not_made_again() -> None:
    with dropping(1) as (api, seen):
        with pytest.raises(ApiError, match="Connection was closed"):
            api.call("kms", "eu-west-2", "create_key", {})
        assert len(seen) == 1
