"""A self-managed backend in S3, read object by object; needs the optional package `boto3`.

The CLI lists such a backend by reading every state in it, so one that is torn hides all the others; and to
export them takes it a process a stack.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tapgate.audit.states import LARGEST_BYTES, SUFFIXES, State, no_stack
from tapgate.findings import CouldNotRunError

_STACKS: Final = ".pulumi/stacks/"
_PATH_STYLE: Final = ("s3ForcePathStyle", "use_path_style")
_NO_TLS: Final = ("disableSSL", "disable_https")
_UNDERSTOOD: Final = frozenset({"region", "endpoint", "profile", "awssdk", *_PATH_STYLE, *_NO_TLS})


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the backend is.

    Attributes:
        prefix: what the keys of its states begin with.
        region: the bucket's region, or empty for the environment's.
        endpoint: another address than AWS's, or empty.
    """

    name: str
    prefix: str
    region: str = ""
    endpoint: str = ""
    profile: str = ""
    path_style: bool = False

    @classmethod
    def of(cls, url: str) -> Bucket | None:
        """Read a backend's URL; nothing when it is not S3's, or says what only the CLI understands."""
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if parts.scheme != "s3" or not query.keys() <= _UNDERSTOOD or not installed():
            return None
        folder = parts.path.strip("/")
        endpoint = query.get("endpoint", "")
        if endpoint and "://" not in endpoint:
            endpoint = f"{'http' if _on(query, _NO_TLS) else 'https'}://{endpoint}"
        return cls(
            name=parts.netloc,
            prefix=f"{folder}/{_STACKS}" if folder else _STACKS,
            region=query.get("region", ""),
            endpoint=endpoint,
            profile=query.get("profile", ""),
            path_style=_on(query, _PATH_STYLE),
        )

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


def object_state(bucket: Bucket, key: str) -> State:
    """Return the state in an object, named as the CLI names its stack."""
    path = key.removeprefix(bucket.prefix).rpartition(".json")[0]
    return State(f"organization/{path}" if "/" in path else path, partial(_read_object, bucket, key))


def _read_object(bucket: Bucket, key: str) -> bytes:
    try:
        answer = _client(bucket).get_object(Bucket=bucket.name, Key=key)
        size: int = answer["ContentLength"]
        # One that is not read to its end keeps its connection, which no one else closes.
        with closing(answer["Body"]) as body:
            if size <= LARGEST_BYTES:
                return body.read()
        problem = f"it has {size:,} bytes, more than {LARGEST_BYTES:,}"
    except _failures() as error:
        problem = str(error)
    raise CouldNotRunError(
        "The state cannot be read.",
        where=f"s3://{bucket.name}/{key}",
        why=problem,
        fix="let the audit's role read it (s3:GetObject, kms:Decrypt), or remove it from the audit.",
    )


def states_in_bucket(bucket: Bucket) -> list[State]:
    """List the states of a backend.

    Raises:
        CouldNotRunError: they cannot be listed, or there are none.
    """
    try:
        pages = _client(bucket).get_paginator("list_objects_v2")
        objects = pages.paginate(Bucket=bucket.name, Prefix=bucket.prefix)
        keys = [str(one["Key"]) for page in objects for one in page.get("Contents", ())]
    except _failures() as error:
        raise CouldNotRunError(
            "The backend cannot be listed.",
            where=str(bucket),
            why=str(error),
            fix="check the address after --backend, the credentials, and s3:ListBucket on the bucket.",
        ) from error
    states = [object_state(bucket, key) for key in sorted(keys) if key.endswith(SUFFIXES)]
    if not states:
        raise no_stack(str(bucket))
    return states


def installed() -> bool:
    """Whether `boto3` is there."""
    return importlib.util.find_spec("boto3") is not None


def _on(query: Mapping[str, str], names: Iterable[str]) -> bool:
    return any(query.get(name, "").lower() in {"true", "1", "t"} for name in names)


@cache
def _client(bucket: Bucket) -> Any:  # noqa: ANN401 - boto3 is untyped
    """Make the client, once a process."""
    boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
    session = boto3.Session(profile_name=bucket.profile or None, region_name=bucket.region or None)
    style = config.Config(s3={"addressing_style": "path"} if bucket.path_style else {})
    return session.client("s3", endpoint_url=bucket.endpoint or None, config=style)


def _failures() -> tuple[type[Exception], ...]:
    """What boto3 raises for everything that can be wrong with a bucket, an object or credentials."""
    errors = importlib.import_module("botocore.exceptions")
    return (errors.BotoCoreError, errors.ClientError)
