"""The functions of Pulumi's `std` package, which are Terraform's: they only compute, so they answer truly.

What is different each time (`timestamp`, `uuid`, `bcrypt`) or takes a key is none of them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import ipaddress
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote_plus

from tapgate.embedded.aws_provider.values import Value, dump_json

_VERB: Final = re.compile(r"%(?P<flags>[-+ #0]*\d{0,3}(?:\.\d{0,3})?)(?P<verb>[a-zA-Z%])")
_TITLE: Final = re.compile(r"(?<![A-Za-z0-9_])[a-z]")


def answer(token: str, args: Mapping[str, Value]) -> Value:
    """Answer a function.

    Returns:
        Its result.

    Raises:
        LookupError: It is none of those that only compute.
        ValueError: Its arguments have no result.
    """
    function = _FUNCTIONS[token.rpartition(":")[2]]
    try:
        return _integral(function(dict(args)))
    except (ArithmeticError, AttributeError, IndexError, KeyError, OSError, TypeError, re.error) as error:
        raise ValueError(str(error) or type(error).__name__) from None


def _integral(value: Any) -> Value:  # noqa: ANN401 - whatever JSON has
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hash(name: str, *, file: bool = False, encoded: bool = False) -> Callable[[dict[str, Any]], Value]:
    def function(args: dict[str, Any]) -> Value:
        content = Path(args["input"]).read_bytes() if file else str(args["input"]).encode()
        digest = hashlib.new(name, content, usedforsecurity=False)
        return base64.b64encode(digest.digest()).decode() if encoded else digest.hexdigest()

    return function


def _verb(match: re.Match[str], args: list[Any]) -> str:
    if match["verb"] == "%":
        return "%"
    value, verb = args.pop(0), match["verb"]
    if verb == "q" or (verb == "v" and "#" in match["flags"]):
        return dump_json(value)
    if verb in {"v", "t"}:
        value, verb = _text(value), "s"
    return f"%{match['flags']}{verb}" % value


def _format(text: str, args: list[Any]) -> str:
    rest = list(args)
    return _VERB.sub(lambda match: _verb(match, rest), text)


def _formatted_list(args: dict[str, Any]) -> Value:
    given = [cast("list[Any]", one) if isinstance(one, list) else None for one in args["args"]]
    count = max((len(one) for one in given if one is not None), default=1)
    columns = [[one] * count if many is None else many for one, many in zip(args["args"], given, strict=True)]
    return [_format(args["input"], list(row)) for row in zip(*columns, strict=True)]


def _text(value: Any) -> str:  # noqa: ANN401 - whatever JSON has
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else dump_json(value)


def _flat(items: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for item in items:
        flat += _flat(cast("list[Any]", item)) if isinstance(item, list) else [item]
    return flat


def _distinct(items: list[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if item not in items[:index]]


def _match_value(match: re.Match[str]) -> Value:
    named = match.groupdict()
    return {**named} if named else list(match.groups()) or match[0]


def _first(items: list[Any], nothing: tuple[object, ...]) -> Value:
    for item in items:
        if item not in nothing:
            return item
    raise ValueError("no argument has a value")


def _regex(args: dict[str, Any]) -> Value:
    match = re.search(str(args["pattern"]), str(args["string"]))
    if match is None:
        raise ValueError(f"{args['pattern']!r} matches nothing of {args['string']!r}")
    return _match_value(match)


def _replace(args: dict[str, Any]) -> Value:
    text, search, new = str(args["text"]), str(args["search"]), str(args["replace"])
    if len(search) > 1 and search.startswith("/") and search.endswith("/"):
        return re.sub(search[1:-1], re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", new), text)
    return text.replace(search, new)


def _range(args: dict[str, Any]) -> Value:
    start, limit = args.get("start", 0), args["limit"]
    step = args.get("step") or (1 if limit >= start else -1)
    count = max(0, math.ceil((limit - start) / step))
    return [_integral(start + index * step) for index in range(min(count, 1024))]


def _substr(args: dict[str, Any]) -> Value:
    text, offset, length = str(args["input"]), int(args.get("offset", 0)), int(args["length"])
    start = offset if offset >= 0 else len(text) + offset
    return text[start:] if length < 0 else text[start : start + length]


def _subnet(prefix: str, bits: int, number: int) -> str:
    network = ipaddress.ip_network(prefix, strict=False)
    size = network.prefixlen + bits
    shifted = number << (network.max_prefixlen - size)
    return str(ipaddress.ip_network((int(network.network_address) + shifted, size)))


def _subnets(args: dict[str, Any]) -> Value:
    network = ipaddress.ip_network(args["input"], strict=False)
    address, subnets = int(network.network_address), list[Value]()
    for bits in args["newbits"]:
        size = 1 << (network.max_prefixlen - network.prefixlen - bits)
        address = -(-address // size) * size
        subnets.append(str(ipaddress.ip_network((address, network.prefixlen + bits))))
        address += size
    return subnets


def _number(value: Any) -> Value:  # noqa: ANN401 - whatever JSON has
    return value if isinstance(value, int | float) else _integral(float(value))


def _transposed(args: dict[str, Any]) -> Value:
    transposed: dict[str, Any] = {}
    for key, values in sorted(args["input"].items()):
        for value in values:
            transposed.setdefault(value, []).append(key)
    return dict(sorted(transposed.items()))


_HASHES: Final = {
    **{name: _hash(name) for name in ("md5", "sha1", "sha256", "sha512")},
    **{f"file{name}": _hash(name, file=True) for name in ("md5", "sha1", "sha256", "sha512")},
    **{f"base64{name}": _hash(name, encoded=True) for name in ("sha256", "sha512")},
    **{f"filebase64{name}": _hash(name, file=True, encoded=True) for name in ("sha256", "sha512")},
}
_FUNCTIONS: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    **_HASHES,
    "abs": lambda args: abs(args["input"]),
    "abspath": lambda args: str(Path(args["input"]).absolute()),
    "alltrue": lambda args: all(_text(one) == "true" for one in args["input"]),
    "anytrue": lambda args: any(_text(one) == "true" for one in args["input"]),
    "base64decode": lambda args: base64.b64decode(args["input"], validate=True).decode(),
    "base64encode": lambda args: base64.b64encode(str(args["input"]).encode()).decode(),
    "basename": lambda args: Path(args["input"]).name,
    "ceil": lambda args: math.ceil(args["input"]),
    "chomp": lambda args: str(args["input"]).rstrip("\r\n"),
    "chunklist": lambda args: [
        args["input"][index : index + args["size"]] for index in range(0, len(args["input"]), args["size"])
    ],
    "cidrhost": lambda args: str(ipaddress.ip_network(args["input"], strict=False)[int(args["host"])]),
    "cidrnetmask": lambda args: str(ipaddress.IPv4Network(args["input"], strict=False).netmask),
    "cidrsubnet": lambda args: _subnet(args["input"], int(args["newbits"]), int(args["netnum"])),
    "cidrsubnets": _subnets,
    "coalesce": lambda args: _first(args["input"], (None, "")),
    "coalescelist": lambda args: _first(args["input"], (None, [])),
    "compact": lambda args: [one for one in args["input"] if one not in (None, "")],
    "concat": lambda args: list(itertools.chain.from_iterable(args["input"])),
    "contains": lambda args: args["element"] in args["input"],
    "csvdecode": lambda args: list(csv.DictReader(io.StringIO(args["input"]))),
    "dirname": lambda args: str(Path(args["input"]).parent),
    "distinct": lambda args: _distinct(args["input"]),
    "element": lambda args: args["input"][int(args["index"]) % len(args["input"])],
    "endswith": lambda args: str(args["input"]).endswith(args["suffix"]),
    "file": lambda args: Path(args["input"]).read_text("utf-8"),
    "filebase64": lambda args: base64.b64encode(Path(args["input"]).read_bytes()).decode(),
    "fileexists": lambda args: Path(args["input"]).is_file(),
    "flatten": lambda args: _flat(args["input"]),
    "floor": lambda args: math.floor(args["input"]),
    "format": lambda args: _format(args["input"], args.get("args", [])),
    "formatlist": _formatted_list,
    "indent": lambda args: str(args["input"]).replace("\n", "\n" + " " * int(args["spaces"])),
    "index": lambda args: args["input"].index(args["element"]),
    "join": lambda args: str(args["separator"]).join(map(_text, args["input"])),
    "jsondecode": lambda args: json.loads(args["input"]),
    "jsonencode": lambda args: dump_json(args["input"]),
    "keys": lambda args: sorted(args["input"]),
    "length": lambda args: len(args["input"]),
    "log": lambda args: math.log(args["input"], args["base"]),
    "lookup": lambda args: args["map"].get(args["key"], args.get("default")),
    "lower": lambda args: str(args["input"]).lower(),
    "map": lambda args: dict(zip(args["args"][::2], args["args"][1::2], strict=True)),
    "max": lambda args: max(args["input"]),
    "merge": lambda args: {key: one[key] for one in args["input"] if one for key in one},
    "min": lambda args: min(args["input"]),
    "parseint": lambda args: int(args["input"], int(args.get("base", 10))),
    "pathexpand": lambda args: str(Path(args["input"]).expanduser()),
    "pow": lambda args: math.pow(args["base"], args["exponent"]),
    "range": _range,
    "regex": _regex,
    "regexall": lambda args: [
        _match_value(one) for one in re.finditer(str(args["pattern"]), str(args["string"]))
    ],
    "replace": _replace,
    "reverse": lambda args: args["input"][::-1],
    "setintersection": lambda args: [
        one for one in _distinct(args["input"][0]) if all(one in each for each in args["input"])
    ],
    "signum": lambda args: (args["input"] > 0) - (args["input"] < 0),
    "slice": lambda args: args["list"][int(args["from"]) : int(args["to"])],
    "sort": lambda args: sorted(args["input"]),
    "split": lambda args: str(args["text"]).split(args["separator"]),
    "startswith": lambda args: str(args["input"]).startswith(args["prefix"]),
    "strrev": lambda args: str(args["input"])[::-1],
    "substr": _substr,
    "sum": lambda args: sum(args["input"]),
    "title": lambda args: _TITLE.sub(lambda match: match[0].upper(), args["input"]),
    "tobool": lambda args: {"true": True, "false": False}[_text(args["input"])],
    "tolist": lambda args: list(args["input"]),
    "tonumber": lambda args: _number(args["input"]),
    "toset": lambda args: _distinct(args["input"]),
    "tostring": lambda args: _text(args["input"]),
    "transpose": _transposed,
    "trim": lambda args: str(args["input"]).strip(args["cutset"]),
    "trimprefix": lambda args: str(args["input"]).removeprefix(args["prefix"]),
    "trimspace": lambda args: str(args["input"]).strip(),
    "trimsuffix": lambda args: str(args["input"]).removesuffix(args["suffix"]),
    "upper": lambda args: str(args["input"]).upper(),
    "urlencode": lambda args: quote_plus(args["input"]),
    "values": lambda args: [one for _, one in sorted(args["input"].items())],
    "zipmap": lambda args: dict(zip(args["keys"], args["values"], strict=True)),
}
