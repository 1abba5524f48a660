"""States as `pulumi stack export` and self-managed backends write them, that a test can change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STACK = "pulumi:pulumi:Stack"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def urn(name: str, kind: str = "test:index:Thing", *, stack: str = "dev", project: str = "shop") -> str:
    return f"urn:pulumi:{stack}::{project}::{kind}::{name}"


def resource(
    name: str, kind: str = "test:index:Thing", *, stack: str = "dev", **more: object
) -> dict[str, object]:
    return {"urn": urn(name, kind, stack=stack), "type": kind, "custom": kind != STACK, **more}


def root(stack: str = "dev") -> dict[str, object]:
    return resource(f"shop-{stack}", STACK, stack=stack)


def exported(resources: Sequence[Mapping[str, object]]) -> bytes:
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
    return json.dumps({"version": 3, "deployment": {"manifest": manifest, "resources": resources}}).encode()


def checkpoint(resources: Sequence[Mapping[str, object]], stack: str = "organization/shop/dev") -> bytes:
    latest = {"resources": resources} if resources else None
    return json.dumps({"version": 3, "checkpoint": {"stack": stack, "latest": latest}}).encode()
