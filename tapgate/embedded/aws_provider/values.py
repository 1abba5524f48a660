"""Property values: as plain Python, as the protocol's structures, as JSON texts, as the bytes of archives."""

from __future__ import annotations

import base64
import enum
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from google.protobuf import struct_pb2


class Unknown(enum.Enum):
    """The one value of everything that is known only after deployment."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Blob:
    """An asset (one file) or an archive (a tree of files).

    Attributes:
        base: Which of the two.
        hash: The SHA-256 that the engine gives to its content, hexadecimal; empty when it gave none.
        text: An asset's content; None when it has none.
        path: Path of the file or folder; empty when it has none.
        uri: Where it can be had; empty when it has none.
        assets: An archive's members, when it is not a file or folder itself.
    """

    base: Literal["asset", "archive"]
    hash: str = ""
    text: str | None = None
    path: str = ""
    uri: str = ""
    assets: Mapping[str, Blob] = field(default_factory=dict[str, "Blob"])


Value: TypeAlias = "bool | int | float | str | Unknown | Blob | list[Value] | dict[str, Value] | None"
Properties: TypeAlias = "dict[str, Value]"


def contains_unknown(value: Value) -> bool:
    """Return whether a value is unknown or has something unknown anywhere inside."""
    if value is UNKNOWN:
        return True
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    return False


_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def dump_json(
    document: Value | Mapping[str, object], *, indent: int | None = None, sort_keys: bool = True
) -> str:
    """Write a JSON document as Go's encoding/json does: keys sorted, no spaces, `<`, `>` and `&` escaped.

    Args:
        document: What to write; nothing unknown in it.
        indent: Spaces a level for the indented form, None for the compact one.
        sort_keys: Whether to sort keys, as Go does with maps but not with structs.
    """
    separators = (",", ": ") if indent is not None else (",", ":")
    text = json.dumps(document, ensure_ascii=False, sort_keys=sort_keys, indent=indent, separators=separators)
    # These characters occur inside strings only, never in JSON's own syntax.
    return text.translate(_ESCAPES)


_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark for secrets, not one
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_BLOB_TEXTS = ("hash", "text", "path", "uri")
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)

Secrets: TypeAlias = "dict[str, Secrets | None]"
"""Which properties are secret: None for the whole value, a tree for parts of an object."""


def decode(struct: struct_pb2.Struct) -> tuple[Properties, Secrets]:
    """Read a structure of the protocol.

    Returns:
        The values, nulls left out, and which of them are secret.
    """
    values: Properties = {}
    secrets: Secrets = {}
    for name, encoded in struct.fields.items():
        value, secret = _decode(encoded)
        if value is not None:
            values[name] = value
        if secret is None or secret:
            secrets[name] = secret
    return values, secrets


def encode(values: Mapping[str, Value], secrets: Secrets | None = None) -> struct_pb2.Struct:
    """Write values as a structure of the protocol, those that `secrets` names as secrets."""
    struct = struct_pb2.Struct()
    for name, value in values.items():
        field = struct.fields[name]
        if secrets and name in secrets:
            inner = secrets[name]
            if inner is not None and isinstance(value, dict):
                field.struct_value.CopyFrom(encode(value, inner))
                continue
            field.struct_value.fields[_SIGNATURE].string_value = _SECRET
            field = field.struct_value.fields["value"]
        _encode(value, field)
    return struct


def resource_reference(urn: str, identifier: str) -> Properties:
    """Return what the protocol calls a resource in a value."""
    # No `packageVersion`: Pulumi's Python SDK of before version 3 fails on it; a program has one SDK of each.
    return {_SIGNATURE: _RESOURCE, "urn": urn, "id": identifier}


def _decode(field: struct_pb2.Value) -> tuple[Value, Secrets | None]:
    oneof = field.WhichOneof("kind")
    if oneof == "string_value":
        text = field.string_value
        return (UNKNOWN if text in _UNKNOWNS else text), {}
    if oneof == "number_value":
        number = field.number_value
        return (int(number) if number.is_integer() else number), {}
    if oneof == "bool_value":
        return field.bool_value, {}
    if oneof == "list_value":
        items = [_decode(item) for item in field.list_value.values]
        secret = any(mark is None or mark for _, mark in items)
        return [value for value, _ in items], (None if secret else {})
    if oneof == "struct_value":
        return _decode_struct(field.struct_value)
    return None, {}


def _decode_struct(struct: struct_pb2.Struct) -> tuple[Value, Secrets | None]:
    signature = struct.fields[_SIGNATURE].string_value if _SIGNATURE in struct.fields else ""
    if signature == _SECRET:
        return _decode(struct.fields["value"])[0], None
    if signature == _OUTPUT:
        value, mark = _decode(struct.fields["value"]) if "value" in struct.fields else (UNKNOWN, {})
        secret = "secret" in struct.fields and struct.fields["secret"].bool_value
        return value, (None if secret else mark)
    if signature in {_ASSET, _ARCHIVE}:
        return _decode_blob(struct, signature), {}
    return decode(struct)


def _decode_blob(struct: struct_pb2.Struct, signature: str) -> Blob:
    members = dict(struct.fields["assets"].struct_value.fields) if "assets" in struct.fields else None
    return Blob(
        "asset" if signature == _ASSET else "archive",
        **{name: struct.fields[name].string_value for name in _BLOB_TEXTS if name in struct.fields},
        assets={
            name: _decode_blob(member.struct_value, member.struct_value.fields[_SIGNATURE].string_value)
            for name, member in (members or {}).items()
        },
    )


def _encode(value: Value, field: struct_pb2.Value) -> None:
    if value is None:
        field.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        field.string_value = _UNKNOWN_TEXT
    elif isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, int | float):
        field.number_value = value
    elif isinstance(value, str):
        field.string_value = value
    elif isinstance(value, list):
        field.list_value.SetInParent()
        for item in value:
            _encode(item, field.list_value.values.add())
    elif isinstance(value, Blob):
        _encode_blob(value, field.struct_value)
    else:
        field.struct_value.CopyFrom(encode(value))


def _encode_blob(blob: Blob, struct: struct_pb2.Struct) -> None:
    struct.fields[_SIGNATURE].string_value = _ASSET if blob.base == "asset" else _ARCHIVE
    for name in _BLOB_TEXTS:
        text: str | None = getattr(blob, name)
        if text or (name == "text" and text is not None):
            struct.fields[name].string_value = text
    for name, member in blob.assets.items():
        _encode_blob(member, struct.fields["assets"].struct_value.fields[name].struct_value)


_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


class ArchiveError(ValueError):
    """The archive cannot be read; the message says which and why."""


def zipped(blob: Blob) -> bytes:
    """Return an archive as a zip file: the same content gives the same bytes."""
    path = Path(blob.path)
    if blob.path and path.is_file():
        return path.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in sorted(_members(blob)):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return buffer.getvalue()


def digest(blob: Blob) -> str:
    """Return the SHA-256 of an archive's zip file as Lambda tells it: in base 64."""
    return base64.b64encode(hashlib.sha256(zipped(blob)).digest()).decode()


def _members(blob: Blob, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    if blob.text is not None:
        yield prefix, blob.text.encode()
    elif blob.assets:
        for name, member in blob.assets.items():
            yield from _members(member, f"{prefix}/{name}" if prefix else name)
    elif blob.path:
        yield from _files(Path(blob.path), prefix)
    else:
        raise ArchiveError(
            f"The code at `{blob.uri}` is not on this machine, and the stand-in downloads nothing. Fix:"
            " give a file"
            if blob.uri
            else "The code is empty. Lambda needs some. Fix: give an archive with the function's files"
        )


def _files(path: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    if path.is_file():
        yield prefix or path.name, path.read_bytes()
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                name = file.relative_to(path).as_posix()
                yield (f"{prefix}/{name}" if prefix else name), file.read_bytes()
    else:
        raise ArchiveError(
            f"The code `{path}` does not exist. Lambda needs it. "
            "Fix: build it (python -m lambdas.package), or correct the path"
        )
