"""Calls AWS's API on an emulator, and refuses to call AWS itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from tapgate.embedded.aws_provider.failures import ApiError
from tapgate.embedded.aws_provider.settings import Settings, require_emulator
from tapgate.embedded.environment import ACCOUNT

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.description import Answer

_NOT_TWICE = frozenset({"create_event_source_mapping", "create_key"})
"""Creations of what AWS names: where the answer got lost, a second call would make a second one."""


class Api:
    """AWS's API on one emulator."""

    def __init__(self, settings: Settings, require_open: Callable[[], None] | None = None) -> None:
        """Take the endpoints; none is called yet.

        Raises:
            RefusedEndpointError: One of them is, or could be, AWS itself.
        """
        for endpoint in (settings.endpoint, *settings.endpoints.values()):
            if endpoint:
                require_emulator(endpoint)
        self._settings = settings
        self._require_open = require_open
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="stand-in")  # noqa: S106

    def call(self, service: str, region: str, operation: str, params: Mapping[str, object]) -> Answer:
        """Call an operation.

        Raises:
            ApiError: AWS's API refused it, or there was no answer.
        """
        call = getattr(self._client(service, region), operation)
        try:
            try:
                return self._once(call, params)
            except ConnectionClosedError:
                if operation in _NOT_TWICE:
                    raise
                return self._once(call, params)
        except ClientError as error:
            details = cast("Mapping[str, Mapping[str, str]]", error.response).get("Error", {})
            raise ApiError(
                f"{service} {operation}: {details.get('Message') or error}", details.get("Code", "")
            ) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise ApiError(f"{service} {operation} on {self._endpoint(service)}: {error}") from None

    def _once(self, call: Callable[..., Answer], params: Mapping[str, object]) -> Answer:
        # As late as possible: until here the client may have been in the making, for a second and more.
        if self._require_open is not None:
            self._require_open()
        return call(**params)

    def _client(self, service: str, region: str) -> Any:  # noqa: ANN401 - boto3 makes it of its models
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = cast("Any", self._session).client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint(service),
                    config=Config(
                        connect_timeout=5,
                        read_timeout=60,
                        retries={"total_max_attempts": 1},
                        proxies={},
                        s3={"addressing_style": "path"},
                    ),
                )
            return self._clients[service, region]

    def _endpoint(self, service: str) -> str:
        # pulumi-aws calls CloudWatch Logs cloudwatchlogs or logs.
        own = self._settings.endpoints
        return (
            own.get(service)
            or (own.get("cloudwatchlogs", "") if service == "logs" else "")
            or self._settings.endpoint
        )
