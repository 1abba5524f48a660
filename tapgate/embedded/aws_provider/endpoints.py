"""Keeps the stand-in from AWS itself: it deploys to an emulator or not at all."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_LOCAL_SUFFIXES = (".localhost", ".localhost.localstack.cloud", ".internal")


class RefusedEndpointError(ValueError):
    """The endpoint is, or could be, AWS itself."""


def require_emulator(endpoint: str) -> None:
    """Refuse an endpoint unless it can only be an emulator: on this machine or in a private network.

    Raises:
        RefusedEndpointError: It is something else.
    """
    parts = urlsplit(endpoint)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme in {"http", "https"} and _is_local(host):
        return
    msg = (
        f"The stand-in AWS provider does not deploy to `{endpoint}`: that is not on this machine nor in"
        " a private "
        "network, so it could be AWS itself. Fix: give an emulator's address (AWS_ENDPOINT_URL or "
        "aws:endpoints), "
        "or deploy to AWS with the real provider (--aws real)"
    )
    raise RefusedEndpointError(msg)


def _is_local(host: str) -> bool:
    if host == "localhost" or (host and "." not in host and ":" not in host):
        return True
    if host.endswith(_LOCAL_SUFFIXES):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # The link-local range holds AWS's own metadata services.
    return (address.is_private or address.is_loopback) and not (
        address.is_link_local or address.is_unspecified
    )
