"""Which packages a program uses besides `aws`, and what serves each: a plug-in of the user, or a stand-in.

The engine finds a plug-in on PATH by itself. One in the user's own Pulumi home is started from there: on the
embedded default the engine has another home. For every other package there is a stand-in.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from tapgate.embedded.aws_provider.marks import MARK, PROGRAM_FOLDER
from tapgate.embedded.environment import (
    DEFAULT_REGION,
    DO_NOTHING,
    OLDEST_MAJOR,
    PREFIX,
    PROGRAM_ENVIRONMENT,
    PROVIDER,
    REGION_VARIABLES,
    Changes,
    is_stand_in_folder,
    sdk_version,
    shim,
    shim_folder,
    types_version,
)
from tapgate.embedded.paths import ROOT
from tapgate.embedded.program_text import (
    imported,
    language,
    mapping,
    program_folder,
    read_yaml,
    refers_to_stacks,
    texts,
)

_AWS: Final = "aws"
_OWN: Final = "pulumi"
_PROJECT_FILES: Final = ("Pulumi.json", "Pulumi.yaml", "Pulumi.yml")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_PLUGIN: Final = re.compile(r"resource-(?P<name>[\w-]+?)-v(?P<version>\d+(?:\.\d+)*)[^/]*")
# Packages whose resources are what the program says, each one thing of its provider.
_DECLARED_ALONE: Final = frozenset(
    {
        *("archive", "aws-native", "azure", "azure-native", "azuread", "cloudflare", "cloudinit", "command"),
        *("datadog", "digitalocean", "dnsimple", "docker", "docker-build", "gcp", "github", "gitlab"),
        *("google-native", "http", "kubernetes", "local", "mongodbatlas", "mysql", "newrelic", "null"),
        *("okta", "pagerduty", "postgresql", "random", "sentry", "snowflake", "std", "time", "tls", "vault"),
    }
)

_NO_PROVIDERS: Final = frozenset({"policy", "esc-sdk", "language-host"})
_ASKED: Final = re.compile(r"(?<![\w.-])pulumi[-_](?P<name>[a-z][a-z0-9_-]*)", re.IGNORECASE)
_SDK: Final = "pulumi_"
_REQUIREMENTS: Final = ("*requirements*.txt", "pyproject.toml", "Pipfile", "setup.cfg")
LANGUAGE: Final = "pulumi-language-"
_HOST: Final = """\
#!/bin/sh
# {about}
exec {start} {words} "$@"
"""
_CODE: Final = """\
import sys; sys.path.insert(0, sys.argv[1])
from tapgate.embedded.language_host import main; sys.exit(main(sys.argv[2], sys.argv[3:]))
"""
_START: Final = shlex.join([sys.executable, "-P", "-c", _CODE, str(ROOT)])
_PLUGIN_FILES: Final = ("PulumiPlugin.yaml", "PulumiPlugin.yml", "PulumiPlugin.json")
_DOCKER: Final = """\
#!/bin/sh
# Stands in for docker: pulumi_docker of before version 4 builds and pushes images by itself, in previews too.
for last; do :; done
case "$1 $2" in
  "version "*) echo '{{"Client":{{"Version":"28.0.0"}}}}' ;;
  # The SDK misses what a process says that ends before it looks.
  "image inspect") echo "sha256:{mark}$(printf %s "$last" | cksum | cut -d ' ' -f 1)"; sleep 1 ;;
  "build "*|"login "*|"tag "*|"push "*) ;;
  *) echo "tapgate: no docker is used in a preview: docker $*" >&2; exit 1 ;;
esac
"""
_EXEC: Final = """\
#!/bin/sh
# Starts the user's own plug-in.
exec {program} "$@"
"""


@dataclass(frozen=True, slots=True)
class _Program:
    """The program of a project.

    Attributes:
        folder: The project's folder.
        yaml: The file that the YAML runtime takes it from; None for another runtime.
        virtualenv: The environment of a Python program, as the project file says it.
        runtime: The language runtime.
        components: Where the components of its `packages` are, by package.
    """

    folder: Path
    yaml: Path | None
    virtualenv: str
    runtime: str = ""
    components: Mapping[str, Path] = field(default_factory=dict[str, Path])


def find_project_file(start: Path) -> Path | None:
    """Return the project file in a folder or, as the engine does, above it."""
    begin = start.absolute()
    candidates = (folder / name for folder in (begin, *begin.parents) for name in _PROJECT_FILES)
    return next((path for path in candidates if path.is_file()), None)


def shims(project_file: Path, base: Mapping[str, str], *, rehearse: bool = False) -> dict[str, str]:
    """Return the executables, by name, that serve the program's packages."""
    program = _program(project_file)
    sdks = _sdks(program, base.get(PROGRAM_ENVIRONMENT, ""))
    wanted, other_major = (
        _asked(program.yaml) if program.yaml is not None else (_named(program) | sdks.keys(), False)
    )
    mode = ["--rehearse"] if rehearse else []
    at_hand = ["--program=" + str(program.yaml)] if program.yaml is not None else []
    shims: dict[str, str] = {}
    for package in sorted(wanted - {_AWS, _OWN}):
        if not _NAME.fullmatch(package):
            continue  # It becomes a file's name; the engine says what is wrong with it.
        name, plugin = f"{PREFIX}{package}", _plugin(package, base)
        runs = plugin is not None and (not rehearse or package in DO_NOTHING)
        if runs and plugin is not None:
            if not plugin[1]:
                shims[name] = _EXEC.format(program=shlex.quote(str(plugin[0])))
            continue
        command = [*mode, "--echo", f"--package={package}", *at_hand]
        if package in sdks:
            command.append(f"--sdk={sdks[package]}")
        elif package not in _DECLARED_ALONE and plugin is None:
            command.append("--unseen")
        shims[name] = shim(command, remark=_digest(program.yaml))
    shims.update(_language_host(program, base))
    shims.update(_missing_hosts(program, base, shims))
    if (sdks.get("docker", Path()) / "docker.py").is_file():
        shims["docker"] = _DOCKER.format(mark=MARK)
    sdk = _other_sdk(sdks.get(_AWS))
    if sdk is not None:
        shims[PROVIDER] = shim([*mode, f"--sdk={sdk}"], remark=sdk_version(sdk))
    elif other_major:
        shims[PROVIDER] = shim([*mode, *at_hand], remark=_digest(program.yaml))
    return shims


def described(project_file: Path, base: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return for each package of a program what serves it, and what to do where that is not enough."""
    program = _program(project_file)
    sdks = _sdks(program, base.get(PROGRAM_ENVIRONMENT, ""))
    wanted = _asked(program.yaml)[0] if program.yaml is not None else _named(program)
    packages: dict[str, tuple[str, str]] = {}
    for package in sorted(wanted - {_OWN}):
        plugin = _plugin(package, base)
        if program.yaml is None and package not in sdks:
            packages[package] = ("its Python SDK is not installed", "run the gate with --install")
        elif package == _AWS:
            packages[package] = ("the stand-in AWS provider; with --aws real, your plug-in", "")
        elif plugin is not None:
            packages[package] = (f"your plug-in, {plugin[0]}", "")
        elif package in program.components and not _missing_hosts(program, base, {f"{PREFIX}{package}"}):
            packages[package] = (f"the component in {program.components[package]}", "")
        elif package in sdks or package in _DECLARED_ALONE:
            packages[package] = ("a stand-in: its resources are what the program says of them", "")
        else:
            packages[package] = (
                "a stand-in that cannot look into components: no-unseen-resources decides",
                f"pulumi plugin install resource {package}, or let the operator allow its types (allow.yaml)",
            )
    return packages


def _language_host(program: _Program, base: Mapping[str, str]) -> dict[str, str]:
    """Return what stands in for the language host of a program that refers to other stacks."""
    host = _host(program.runtime, base)
    if host is None or not refers_to_stacks(program.yaml or program.folder):
        return {}
    about = "Starts the program's language host, with a way to stacks of any backend."
    text = _HOST.format(about=about, start=_START, words=shlex.quote(host))
    return {f"{LANGUAGE}{program.runtime}": text}


def _missing_hosts(program: _Program, base: Mapping[str, str], served: Collection[str]) -> dict[str, str]:
    """Return what stands in for the language hosts of components in the repository that are not there."""
    missing: dict[str, list[str]] = {}
    for package, folder in program.components.items():
        if f"{PREFIX}{package}" not in served:
            continue
        plugin = next((folder / name for name in _PLUGIN_FILES if (folder / name).is_file()), folder)
        runtime = language(read_yaml(plugin))
        if _NAME.fullmatch(runtime) and runtime != program.runtime and not _host(runtime, base):
            missing.setdefault(runtime, []).append(shlex.quote(f"{package}={folder}"))
    about = "Stands in for a language host that is not there, by what stands in for the project's components."
    return {
        f"{LANGUAGE}{runtime}": _HOST.format(about=about, start=_START, words=" ".join(["''", *components]))
        for runtime, components in missing.items()
    }


def _host(runtime: str, base: Mapping[str, str]) -> str | None:
    """Return the language host of a runtime that is on PATH; None where there is none."""
    folders = base.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(one for one in folders if one and not is_stand_in_folder(one))
    return shutil.which(f"{LANGUAGE}{runtime}", path=path) if _NAME.fullmatch(runtime) else None


def changes(project_file: Path, base: Mapping[str, str]) -> Changes:
    """Return what to change in a prepared environment so that the engine finds what serves the packages."""
    program = _program(project_file)
    variables = shims(project_file, base)
    changed: Changes = {PROGRAM_FOLDER: str(program.folder)}
    if program.yaml is None and not any(base.get(name) for name in REGION_VARIABLES):
        changed |= _region(project_file)
    if variables:
        changed["PATH"] = os.pathsep.join([str(shim_folder(variables)), base.get("PATH", os.defpath)])
    return changed


def _region(project_file: Path) -> Changes:
    """Return the region that a program or boto3 reads from an environment that says none: its stacks'.

    Where they have several, a program that reads one would be told of the wrong one.
    """
    of_stacks = [_said(path) for path in sorted(project_file.parent.glob("Pulumi.*.yaml"))]
    said = set(filter(None, of_stacks)) or {_said(project_file) or DEFAULT_REGION}
    return dict.fromkeys(REGION_VARIABLES, said.pop()) if len(said) == 1 else {}


def _said(file: Path) -> str:
    region = mapping(read_yaml(file).get("config")).get("aws:region")
    return region if isinstance(region, str) else str(mapping(region).get("value") or "")


def _digest(program: Path | None) -> str:
    if program is None:
        return ""
    try:
        return hashlib.sha256(program.read_bytes()).hexdigest()[:12]
    except OSError:
        return ""


def _other_sdk(sdk: Path | None) -> Path | None:
    """Return the pulumi_aws of a Python program, where it is of another major version that can be read."""
    major = sdk_version(sdk).partition(".")[0] if sdk is not None else ""
    readable = major.isdigit() and int(major) >= OLDEST_MAJOR
    return sdk if readable and major != types_version().partition(".")[0] else None


def _asked(program: Path) -> tuple[set[str], bool]:
    """Return the packages that a YAML program uses, and whether it is for another major version of AWS's."""
    from tapgate.embedded.aws_provider.usage import older_function, read  # noqa: PLC0415 - for YAML programs

    usage = read(program)
    installed = types_version().partition(".")[0]
    asked = {version.lstrip("v").partition(".")[0] for version in usage.versions.get(_AWS, ())}
    return usage.packages(), bool(asked - {installed}) or any(map(older_function, usage.functions))


def _program(project_file: Path) -> _Program:
    body = read_yaml(project_file)
    name, folder = language(body), project_file.parent
    virtualenv = mapping(mapping(body.get("runtime")).get("options")).get("virtualenv")
    inside = program_folder(folder, body)
    candidates = (inside / file for file in ("Main.json", "Main.yaml", "Pulumi.yaml"))
    text = next((path for path in candidates if path.is_file()), project_file) if name == "yaml" else None
    return _Program(folder, text, str(virtualenv or ""), name, dict(_components(folder, body)))


def _components(folder: Path, body: Mapping[str, object]) -> Iterator[tuple[str, Path]]:
    """Yield the packages of a project that are folders, a version behind the path or not."""
    for package, one in mapping(body.get("packages")).items():
        source = str(mapping(one).get("source") or one)
        folders = (folder / path for path in dict.fromkeys((source, source.rpartition("@")[0])) if path)
        package_folder = next((path for path in folders if path.is_dir()), None)
        if package_folder is not None:
            yield package, package_folder.resolve()


def _sdks(program: _Program, made: str) -> dict[str, Path]:
    """Return the Python SDKs that a Python program or the tool can import, by package.

    A YAML program imports none: an SDK beside it could say of a component that it is none.
    """
    if program.yaml is not None:
        return _in([Path(entry) for entry in sys.path if entry])
    names = [made] if made else [name for name in (program.virtualenv, ".venv", "venv") if name]
    environments = [program.folder / name for name in names]
    roots = [site for one in environments for site in sorted(one.glob("lib/python3*/site-packages"))]
    ours = [] if made else [Path(entry) for entry in sys.path if entry]
    return _in([*roots, program.folder, *ours])


def _named(program: _Program) -> set[str]:
    """Return the packages that a Python program names: only its own Python may find their SDKs."""
    if program.runtime != "python":
        return set()
    asked = [path for pattern in _REQUIREMENTS for path in sorted(program.folder.glob(pattern))]
    names = {match["name"] for path in asked for _, text in texts(path) for match in _ASKED.finditer(text)}
    names |= {one.removeprefix(_SDK) for one in imported(program.folder) if one.startswith(_SDK)}
    return {name.lower().replace("_", "-").strip("-") for name in names} - _NO_PROVIDERS


def _in(roots: list[Path]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for root in roots:
        for path in root.glob("pulumi_*/pulumi-plugin.json"):
            try:
                document = mapping(cast("object", json.loads(path.read_text("utf-8"))))
            except (OSError, ValueError):
                continue
            folders.setdefault(str(document.get("name") or ""), path.parent)
        for path in root.glob("pulumi_*/*utilities.py"):  # Until 2021 they do not say what they are.
            name = path.parent.name.removeprefix("pulumi_").replace("_", "-")
            if not (path.parent / "pulumi-plugin.json").exists():
                folders.setdefault(name, path.parent)
    return folders


def _plugin(package: str, base: Mapping[str, str]) -> tuple[Path, bool] | None:
    """Return a plug-in of the user, and whether it is on PATH."""
    name = f"{PREFIX}{package}"
    for entry in base.get("PATH", os.defpath).split(os.pathsep):
        if entry and not is_stand_in_folder(entry) and os.access(Path(entry, name), os.X_OK):
            return Path(entry, name), True
    homes = [Path(base["PULUMI_HOME"])] if base.get("PULUMI_HOME") else []
    if base.get("HOME"):
        homes.append(Path(base["HOME"], ".pulumi"))
    for home in homes:
        versions = {
            tuple(int(digits) for digits in match["version"].split(".")): path / name
            for path in (home / "plugins").glob(f"resource-{package}-v*")
            if (match := _PLUGIN.fullmatch(path.name)) and match["name"] == package
            if os.access(path / name, os.X_OK)
        }
        if versions:
            return versions[max(versions)], False
    return None
