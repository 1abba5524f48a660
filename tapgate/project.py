"""A Pulumi project's files: where they are, which stacks they know, whether a stack's config is right."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import yaml

from tapgate.findings import CouldNotRunError
from tapgate.json_access import mapping, sequence, text, unbounded

# In the order in which the engine takes them: findProjectInDir in sdk/v3/go/common/workspace/paths.go.
_SUFFIXES: Final = (".json", ".yaml", ".yml")
_PROJECT_FILES: Final = tuple(f"Pulumi{suffix}" for suffix in _SUFFIXES)
_STACK_NAME: Final = re.compile(r"(?:[A-Za-z0-9_.-]+/){0,2}[A-Za-z0-9_.-]{1,100}")
# Packages with configuration of their own that projects are named after: `aws:region` of project aws-network.
_PROVIDERS: Final = frozenset(
    {"aws", "aws-native", "azure", "azure-native", "gcp", "google-native", "kubernetes", "docker", "github"}
)
_CODE: Final = frozenset({".py", ".ts", ".js", ".mjs", ".go", ".cs", ".fs", ".java", ".kt", ".scala"})
_INSTALLED: Final = frozenset({"node_modules", "site-packages", "vendor", ".git"})
_OF_AN_ENVIRONMENT: Final = "pyvenv.cfg"
_GIT_CRYPT: Final = b"\0GITCRYPT\0"
# Names of variables that decide about the engine, an interpreter or a linker, or that are a function's.
_STEERING: Final = re.compile(r"PULUMI_|LD_|DYLD_|PYTHON|NODE_|GRPC_|VIRTUAL_ENV$|(?:PATH|HOME)$|fn::|\$")
# What a stack's config file may have: ProjectStack in sdk/v3/go/common/workspace/project.go.
_STACK_FILE_KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")


@dataclass(frozen=True, slots=True)
class Project:
    """A Pulumi project on disk.

    Attributes:
        declared: config keys that its `config` block declares, without the project's namespace.
        stack_folder: where the stacks' config files are.
        main: where in the project the program is, as the project file says it; empty for its folder.
        virtualenv: the environment of a Python program, as the project file says it; empty for none.
        own_packages: names of the packages that are folders, and of those that these have.
    """

    folder: Path
    file: Path
    name: str
    runtime: str
    declared: frozenset[str]
    stack_folder: Path
    main: str = ""
    virtualenv: str = ""
    own_packages: frozenset[str] = frozenset()

    def yaml_program(self) -> Path:
        """Return the file that the YAML runtime takes the program from."""
        main = self.folder / self.main
        folder = main.parent if main.is_file() else main
        # LoadDir in pkg/pulumiyaml/run.go of pulumi-yaml looks in this order.
        candidates = (folder / name for name in ("Main.json", "Main.yaml", "Pulumi.yaml"))
        return next((path for path in candidates if path.is_file()), self.file)

    def stack_file(self, stack: str) -> Path:
        """Return the path of a stack's config file, which need not exist."""
        return self.stack_folder / f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"

    def known_stacks(self) -> list[str]:
        """Return the stacks that have a config file."""
        endings = {".yaml", self.file.suffix}
        files = (path for ending in endings for path in self.stack_folder.glob(f"Pulumi.*{ending}"))
        return sorted({path.stem.removeprefix("Pulumi.") for path in files})


def find_project(start: Path) -> Project:
    """Find the project in a folder or, as the CLI does, the nearest one above it.

    Raises:
        CouldNotRunError: no such folder, no project file, or one that cannot be read.
    """
    begin = start.absolute()
    if not begin.exists():
        raise CouldNotRunError(
            "There is no such folder.",
            where=str(start),
            why="A project in a folder above it would be evaluated instead of the one that was meant.",
            fix="name the folder of the project with --project.",
        )
    file = _project_file(begin)
    if file is not None:
        return _read_project(file)
    raise CouldNotRunError(
        "There is no Pulumi project.",
        where=str(start),
        why="The gate previews a project; it looks for Pulumi.yaml in this folder and the folders above it.",
        fix="run it in a project's folder, or name that with --project.",
    )


def _project_file(begin: Path) -> Path | None:
    paths = (folder / name for folder in (begin, *begin.parents) for name in _PROJECT_FILES)
    return next((path for path in paths if path.is_file()), None)


def require_bounded(start: Path) -> None:
    """Refuse a project whose YAML stands for more than anyone reads, or for something else than it looks.

    Aliases of aliases, or itself in itself; tags, by which a key or a folder is another one to the engine.

    Raises:
        CouldNotRunError: a file of it does.
    """
    file = _project_file(start.absolute())
    if file is None:
        return
    _require_bounded(file)
    project = _read_project(file)
    for path in {project.yaml_program(), *project.stack_folder.glob("Pulumi.*.yaml")} - {file}:
        _require_bounded(path)


def _require_bounded(path: Path) -> None:
    try:
        problem = unbounded(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return  # Whoever reads it says what is wrong.
    if problem:
        raise CouldNotRunError(
            "A file of the project is not what YAML is for.",
            where=str(path),
            why=problem,
            fix="write out what the aliases stand for, or less of it, and no tags.",
        )


class _TextLoader(yaml.SafeLoader):
    """Reads YAML as the engine does, to which `on` and `1:30` are texts."""


_TextLoader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0].endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, what: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Mapping[str, object]:
    """Read a YAML (or JSON) file whose top is a mapping; an empty file is an empty one.

    Raises:
        CouldNotRunError: it cannot be read, is not YAML, or is something else than a mapping.
    """
    problem, fix = "its top level is not a mapping of keys to values", "correct the file's YAML."
    try:
        content = path.read_bytes()
        if content.startswith(_GIT_CRYPT):
            problem = "git-crypt has encrypted it, and this checkout has not been unlocked."
            fix = "run `git-crypt unlock` with the repository's key, then the gate again."
        else:
            loaded: object = yaml.load(content.decode(), loader)  # noqa: S506 - a safe one
            if loaded is None or isinstance(loaded, Mapping):
                return mapping(cast("object", loaded))
    except (OSError, UnicodeDecodeError) as error:
        problem = str(error)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
    raise CouldNotRunError(
        f"The {what} cannot be read.",
        where=str(path),
        why=problem,
        fix=fix,
    )


def _read_project(path: Path) -> Project:
    body = read_yaml(path, "project file", _TextLoader)
    name = text(body.get("name"))
    runtime = body.get("runtime")
    folder = path.parent
    return Project(
        folder=folder,
        file=path,
        name=name,
        runtime=text(runtime) or text(mapping(runtime).get("name")),
        declared=frozenset(
            key.removeprefix(f"{name}:")
            for key in mapping(body.get("config"))
            if ":" not in key or key.startswith(f"{name}:")
        ),
        stack_folder=folder / (text(body.get("stackConfigDir")) or text(body.get("config")) or "."),
        main=text(body.get("main")),
        virtualenv=text(mapping(mapping(runtime).get("options")).get("virtualenv")),
        own_packages=frozenset(_own_packages(folder, body, set())),
    )


def _own_packages(root: Path, body: Mapping[str, object], seen: set[Path]) -> Iterator[str]:
    """Go through the packages that are folders, and those that they have; all paths begin at the project.

    As collectPluginsFromPackages in sdk/v3/go/common/resource/plugin/host.go does, which looks for what
    describes a plug-in in the folders above it as well.
    """
    for name, entry in (item for one in _at(body, "packages") for item in mapping(one).items()):
        sources = [text(one) for one in (entry, *_at(entry, "source"))]
        paths = (root / path for one in sources for path in (one, one.rpartition("@")[0]) if path)
        folder = next((path.resolve() for path in paths if path.is_dir()), None)
        if folder is None:
            continue
        yield name
        above = (one / f"PulumiPlugin{suffix}" for one in (folder, *folder.parents) for suffix in _SUFFIXES)
        file = next((path for path in above if path.is_file()), None)
        if file is not None and file not in seen:
            seen.add(file)
            _require_bounded(file)
            yield from _own_packages(root, read_yaml(file, "plug-in's file", _TextLoader), seen)


_URL: Final = "pluginDownloadURL"
_AWS_PACKAGES: Final = frozenset({"aws", "aws-native"})
# The key that makes a file one, as it is or by an escape, or in an encoding of two bytes a character.
_DECLARES: Final = re.compile(
    rb'packageDeclarationVersion|"[^"\n]*\\[^"\n]*"\s*:|^\s*\?|\A(?:\xff\xfe|\xfe\xff)', re.MULTILINE
)
# What a project may not decide for the gate, and why.
OPERATORS_CHOICES: Final = {
    "plugins": "it replaces the plug-ins that check resources and start policy packs.",
    "compiler": "it is a command that the language host runs before the program.",
    _URL: "it is where the engine downloads a plug-in from, which then runs beside the gate.",
}


def check_choices(project: Project, allowed: Collection[str] = ()) -> None:
    """Refuse a project file or YAML program that decides about the engine itself.

    Raises:
        CouldNotRunError: it decides something that is not allowed.
    """
    body = read_yaml(project.file, "project file", _TextLoader)
    program = project.yaml_program() if project.runtime == "yaml" else project.file
    other = body if program == project.file else read_yaml(program, "program")
    compiler = any(_at(body, "runtime", "options", "compiler"))
    # The engine takes such a folder for the provider.
    replaced = sorted(f"packages.{name}" for name in project.own_packages & _PROVIDERS)
    decided = [
        ("plugins", "plugins" if any(_at(body, "plugins")) else next(iter(replaced), ""), project.file),
        ("compiler", "runtime.options.compiler" if compiler else "", project.file),
        (_URL, _URL if _anywhere(body, _URL) else "", project.file),
        (_URL, _URL if _anywhere(other, _URL) else "", program),
        *(_declared(program.parent) if project.runtime == "yaml" else ()),
    ]
    for name, what, where in decided:
        if what and name not in allowed:
            raise CouldNotRunError(
                f"The project decides what the operator has to: `{what}`.",
                where=str(where),
                why=OPERATORS_CHOICES[name],
                fix=f"remove it; the operator can allow it with --allow-in-project {name}.",
            )


def _declared(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield what declarations of packages decide, which may be in any file below a program in YAML.

    As SearchPackageDecls in pkg/pulumiyaml/packages/file.go of pulumi-yaml finds them.
    """
    for path in folder.rglob("*.yaml"):
        with suppress(OSError, ValueError, yaml.YAMLError):  # What is no YAML declares nothing.
            content = path.read_bytes() if path.is_file() else b""
            if not _DECLARES.search(content):
                continue
            _require_bounded(path)
            body = mapping(next(yaml.load_all(content, _TextLoader), None))
            if "packageDeclarationVersion" in body:
                url = str(body.get("downloadUrl") or "")
                # A component in a repository is let through here as it is in `packages`.
                named = not url.startswith("git://") or body.get("name") in _AWS_PACKAGES
                yield _URL, "downloadUrl" if url and named else "", path
                for name in ("parameterization", "extension"):
                    replaces = mapping(body.get(name)).get("name") in _AWS_PACKAGES
                    yield "plugins", f"{name}.name" if replaces else "", path


def _at(value: object, *names: str) -> list[object]:
    """Return what is at a path, its names in any case: of JSON the engine reads all of them as one."""
    values = [value]
    for name in names:
        items = (item for one in values for item in mapping(one).items())
        values = [one for key, one in items if key.casefold() == name.casefold()]
    return values


def _anywhere(value: object, name: str) -> bool:
    """Say whether an entry at any depth has the name, in any case."""
    if isinstance(value, list):
        return any(_anywhere(one, name) for one in sequence(cast("object", value)))
    items = mapping(value).items()
    return any(str(key).casefold() == name.casefold() or _anywhere(one, name) for key, one in items)


def check_stack_name(stack: str) -> None:
    """Refuse a name that no stack can have (and that could point outside the project).

    Raises:
        CouldNotRunError: the name is not legal.
    """
    if _STACK_NAME.fullmatch(stack) and all(segment.strip(".") for segment in stack.split("/")):
        return
    raise CouldNotRunError(
        f"{stack!r} is not a stack name.",
        where="--stack",
        why="a stack's name has letters, digits, hyphens, underscores and periods, at most 100 of them.",
        fix="name a stack such as dev, or organisation/project/dev.",
    )


def check_stack_config(project: Project, stack: str) -> None:
    """Refuse a config file with a key that nothing reads: such a setting silently does not apply.

    Raises:
        CouldNotRunError: the file is no YAML, has a misspelt key, or sets variables of the engine's.
    """
    path = project.stack_file(stack)
    engines = path.with_suffix(project.file.suffix)
    if engines != path and engines.is_file():
        raise CouldNotRunError(
            "The stack's config is in a file that is not read here.",
            where=str(engines),
            why=f"the engine reads it beside a {project.file.name}; here a stack's config is in YAML.",
            fix=f"make the two Pulumi.yaml and {path.name}, which every version of the engine reads.",
        )
    if not path.is_file():
        return
    body = read_yaml(path, "stack's config file")
    for what in _steering(mapping(mapping(body.get("environment")).get("values"))):
        raise CouldNotRunError(
            f"The stack's file decides what the operator has to: `environment.values.{what}`.",
            where=str(path),
            why="the engine makes it a variable of its own, which may lead it to other plug-ins or options.",
            fix="remove it; name there, one by one, the variables of the program alone.",
        )
    # In YAML a key may be a number, a truth or nothing.
    for key in map(str, body):
        if key not in _STACK_FILE_KEYS:
            raise _misspelt(path, key, _STACK_FILE_KEYS)
    for key in map(str, mapping(body.get("config"))):
        namespace, _, short = key.rpartition(":")
        if namespace not in {"", project.name}:
            if short in project.declared and _meant(namespace, project.name):
                raise _misspelt(path, key, [f"{project.name}:{short}"])
        elif project.declared and short not in project.declared and not _reads(project, short):
            raise _misspelt(path, key, sorted(f"{project.name}:{known}" for known in project.declared))


def _steering(values: Mapping[str, object]) -> Iterator[str]:
    """Yield what an environment of Pulumi Cloud gives the engine besides the program's own variables.

    What one that is imported gives, only Pulumi Cloud knows.
    """
    for entry in ("environmentVariables", "files"):
        if not isinstance(values.get(entry), Mapping | None):
            yield entry
        yield from (f"{entry}.{name}" for name in mapping(values.get(entry)) if _STEERING.match(str(name)))


def _reads(project: Project, key: str) -> bool:
    """Say whether a program has a config key in quotes or in a reference: it need not declare one."""
    word = re.compile(rf"""["'`]{re.escape(key)}["'`]|\$\{{{re.escape(key)}(?![\w-])""")
    for parent, folders, names in os.walk(project.folder):
        folders[:] = [] if _OF_AN_ENVIRONMENT in names else [one for one in folders if one not in _INSTALLED]
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):
                # A link may lead to what never ends.
                program = path.is_file() and (path.suffix in _CODE or path == project.yaml_program())
                if program and word.search(path.read_text("utf-8", "replace")):
                    return True
    return False


def _meant(namespace: str, project: str) -> bool:
    """Say whether a namespace is most likely the project's name, misspelt or cut short."""
    shortened = project.startswith(namespace) and namespace not in _PROVIDERS
    return shortened or bool(difflib.get_close_matches(namespace, [project]))


def _misspelt(path: Path, key: str, known: tuple[str, ...] | list[str]) -> CouldNotRunError:
    full = [*known, *(name.rpartition(":")[2] for name in known)]
    near = difflib.get_close_matches(key, full, n=1, cutoff=0.6)
    return CouldNotRunError(
        f"The config key {key!r} means nothing.",
        where=str(path),
        why="nothing reads it, so what it is meant to set would silently stay at its default.",
        fix=f"write {near[0]!r}." if near else f"remove it, or use one of: {', '.join(known)}.",
    )


if __name__ == "__main__":
    # What is asked for a pipeline: the stacks that a project's folder has files for.
    print(*find_project(Path(sys.argv[1])).known_stacks(), sep="\n")
