"""What a Python program makes of what it is given, as far as its text tells, and what stands in for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tapgate.embedded.aws_provider.marks import MARK, MARKED_NUMBER, marked
from tapgate.embedded.aws_provider.resource_schema import ResourceSchema, Type
from tapgate.embedded.program_flow import read
from tapgate.embedded.program_names import Program
from tapgate.embedded.program_text import lookups, outputs, stand_ins, variables
from tapgate.embedded.program_uses import Use, formed

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = "from pulumi import Config\nconfig = Config()\n"
# What a program does with `x`, and the form of what stands in: a text is "", an unknown key is "*".
MADE: Mapping[str, object] = {
    "x['a']; x['b']['c']": {"a": "", "b": {"c": "", "*": ""}, "*": ""},
    "y = x\ny['a']": {"a": "", "*": ""},
    "x['a'][4]": {"a": [""] * 5, "*": ""},
    "for one in x: one['a']": [{"a": "", "*": ""}],
    "for one in x['a']: print(one)": {"a": ["", "", ""], "*": ""},
    "for key, one in x.items(): one['a']": {"*": {"a": "", "*": ""}},
    "[one['a'] for one in x.values()]": {"*": {"a": "", "*": ""}},
    "y = x['a'][0].items()\nfor key, one in y: one['b']": {"a": [{"*": {"b": "", "*": ""}}], "*": ""},
    "for i, (key, one) in enumerate(x.items()): one['a']": {"*": {"a": "", "*": ""}},
    "list(x.values())[0]['a']": {"*": {"a": "", "*": ""}},
    "for i, one in enumerate(x): one['a']": [{"a": "", "*": ""}],
    "for a, b in zip(x['a'], x['b']): a['c']": {"a": [{"c": "", "*": ""}], "b": ["", "", ""], "*": ""},
    "a, b = x['pair']": {"pair": ["", ""], "*": ""},
    "len(x['a'])": {"a": ["", "", ""], "*": ""},
    "x.get('a'); x.get('b', 3)": {"a": "", "*": ""},
    "range(x['a'])": {"a": 1, "*": ""},
    "range(int(x['a']))": {"a": 1, "*": ""},
    "int(x['a'])": {"a": MARKED_NUMBER, "*": ""},
    "if x['a'] > 3: pass": {"a": 1, "*": ""},
    "assert len(x['a']) == x['b']": {"a": ["", "", ""], "b": 3, "*": ""},
    "json.loads(x['a'])['b']": {"a": "{}", "*": ""},
    "x['a'].split('/')[1]": {"a": "/", "*": ""},
    "a, b, c = x['a'].split('-')": {"a": "--", "*": ""},
    "ipaddress.ip_network(x['a'])": {"a": "10.0.0.0/16", "*": ""},
    "Args(**x); x['a']": {"a": ""},
    "@dataclass\nclass C:\n a: str\n b: int\n c: list[bool]\n d: int = 3\nC(**x)": {
        "a": "",
        "b": MARKED_NUMBER,
        "c": [False] * 3,
    },
    "class I:\n a: str\nclass C(BaseModel):\n i: I\n o: Optional[int] = None\nC.model_validate(x)": {
        "i": {"a": ""}
    },
    "def f(a, b: dict[str, int], *, c, d=1): pass\nf(**x)": {"a": "", "b": {"*": MARKED_NUMBER}, "c": ""},
    "def f(a: int): pass\nf(x['a'])": {"a": MARKED_NUMBER, "*": ""},
    "def f(given): given['a']\nf(x)": {"a": "", "*": ""},
    "def f(*, given): return given['a']\nf(given=x)['b']": {"a": {"b": "", "*": ""}, "*": ""},
    "class C:\n def __init__(self, given):\n  self.x = given\n def m(self): self.x['a']\nC(x)": {
        "a": "",
        "*": "",
    },
    "class C:\n x: dict\nC(x=x)\ndef f(c): c.x['a']": {"a": "", "*": ""},
    "pulumi.Output.all(1, x).apply(lambda both: both[1]['a'])": {"a": "", "*": ""},
    "f(tags=x)": {"*": ""},
    "pulumi.Output.all(x=x).apply(lambda given: given['x']['a'])": {"a": "", "*": ""},
    "x['a'].apply(json.loads)": {"a": "{}", "*": ""},
    "x['a'].apply(lambda: 1); x['a'].apply(f)\ndef f(): pass": {"a": "", "*": ""},
    "b64decode(x['a'])": {"a": "", "*": ""},
    "y = x['a'] if x['b'] and x['c'] else x['d']\ny['e']": {
        "a": {"e": "", "*": ""},
        "b": "",
        "c": "",
        "d": {"e": "", "*": ""},
        "*": "",
    },
    "f(*x['a']); x['b'] | {}; '%s' % x['c']; {**x['d']}": {
        "a": ["", "", ""],
        "b": "",
        "c": "",
        "d": "",
        "*": "",
    },
    "kept = {}\nkept[0] = x['a']": {"a": "", "*": ""},
    "def f(*, a: int | None, b: pulumi.Input[int]): pass\nf(**x)": {"a": MARKED_NUMBER, "b": MARKED_NUMBER},
    "(x or {})['a']": {"a": "", "*": ""},
    "if (y := x['a']): y['b']": {"a": {"b": "", "*": ""}, "*": ""},
    "": {"*": ""},
}


def form(value: object) -> object:
    """Return a value with its marks left out."""
    if isinstance(value, dict):
        return {
            "*" if MARK in key else key: form(one) for key, one in cast("dict[str, object]", value).items()
        }
    if isinstance(value, list):
        return [form(one) for one in cast("list[object]", value)]
    if isinstance(value, str) and value.startswith("{"):
        return "{}"
    if isinstance(value, str) and MARK in value:
        return "".join(one for one in value if one in "/-")
    if isinstance(value, str) and MARK in value.casefold():
        return ""
    return value


def project(folder: Path, text: str, **more: str) -> Path:
    for name, other in more.items():
        folder.joinpath(f"{name}.py").write_text(other)
    (folder / "__main__.py").write_text(text)
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    return folder / "Pulumi.yaml"


@pytest.mark.parametrize("text", MADE)
def test_config_stands_in_as_the_program_takes_it_apart(tmp_path: Path, text: str) -> None:
    file = project(tmp_path, f"{CONFIG}x = config.require_object('x')\n{text}\n")
    assert form(stand_ins(file, "")["app:x"]) == MADE[text]


def test_a_value_is_followed_into_other_files(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("from .net import Net\n")
    (tmp_path / "parts" / "net.py").write_text(
        "class Net:\n def __init__(self, tags=None):\n  tags['Owner']\n"
    )
    settings = f"{CONFIG}tags = config.require_object('tags')\nports = config.require_object('ports')\n"
    main = "import settings\nfrom settings import ports\nfrom parts import Net\nports[0]\n"
    file = project(
        tmp_path, f"{main}Net(tags=settings.tags)\n", settings=settings, aside=f"{settings}tags['no']"
    )
    found = stand_ins(file, "")
    assert form(found["app:tags"]) == {"Owner": "", "*": ""}
    assert form(found["app:ports"]) == ["", "", ""]


OPTIONAL = {
    "config.get_object('x')['a']": "object",
    "config.get('x').split(',')": "string",
    "x = config.get('x')\nif not x: raise ValueError": "string",
    "for one in config.get_object('x'): one": "object",
    "x = config.get('x')\nif x: x.split(',')": None,
    "(config.get('x') or 'a').split(',')": None,
    "config.get('x', 'a').split(',')": None,
    "bucket(name=config.get('x'))": None,
    "aws.ec2.KeyPair('key', public_key=config.get('x'))": "string",
    "aws.ec2.KeyPair('key', key_name=config.get('x'), public_key='')": None,
    "aws.ec2.Nothing('key', public_key=config.get('x'))": None,
    "pulumi.StackReference(config.get('x'))": "string",
    "pulumi.StackReference(f\"a/{config.get('x')}/c\")": "string",
    "pulumi.StackReference(f\"a/{config.get('x') or 'b'}/c\")": None,
    "bucket(name=f\"a-{config.get('x')}\")": None,
    "f(names=[config.get('x')])": "string",
    "f({'names': [config.get('x')]})": "string",
    "[one for one in [config.get('x')] if one]": None,
    "x = config.get('x')\nif x is not None: x['a']": None,
}


@pytest.mark.parametrize("text", OPTIONAL)
def test_config_that_is_optional_stands_in_where_the_program_ends_without_it(
    tmp_path: Path, text: str
) -> None:
    project(tmp_path, f"{CONFIG}{text}\n")
    assert read(tmp_path, "app").required.get("app:x") == OPTIONAL[text]


@pytest.mark.parametrize(
    ("text", "read_there"),
    [
        ("import pulumi_aws as aws\nzone = aws.config.region + 'a'", True),
        ("import pulumi_aws\nname = f'igw-{pulumi_aws.config.region}'", True),
        ("from pulumi_aws import config\nname = f'igw-{config.region}'", True),
        ("from pulumi_aws import config as of\ndef f(): return of.region", True),
        ("import pulumi_aws.config as of\nname = of.region", True),
        ("from pulumi_aws.config import region\nname = region", True),
        ("from other import config\nname = config.region", False),
        ("region = 'us-east-1'\nname = region", False),
        ("import pulumi_aws as aws\nname = aws.get_region().region", False),
    ],
)
def test_the_region_of_the_provider_is_required_however_it_is_imported(
    tmp_path: Path,
    text: str,
    read_there: bool,  # noqa: FBT001
) -> None:
    """What is not there is None, which a name takes in as a text."""
    project(tmp_path, f"{text}\n")
    assert ("aws:region" in read(tmp_path, "app").required) is read_there


VARIABLES: Mapping[str, object] = {
    "os.environ['X']": "",
    "os.getenv('X')": "",
    "x = os.environ.get('X')\nif not x: sys.exit('X is missing')": "",
    "json.loads(os.environ['X'])['a']": "{}",
    "range(int(os.environ['X']))": "1",
    "a, b = os.environ['X'].split('/')": "/",
    "urlparse(os.environ['X']).hostname": "///",
    "os.getenv('X', 'a')": None,
    "os.getenv('X') or 'a'": None,
    "if os.getenv('X'): pass": None,
    "if os.getenv('X') == 'a': pass": None,
    "x = os.getenv('X')\nif x: f(x)": None,
    "if 'X' in os.environ: os.environ['X']": None,
    "os.environ['X'] = 'a'\nos.environ['X']": None,
    "os.environ.setdefault('X', 'a')\nos.environ['X']": None,
}


@pytest.mark.parametrize("text", VARIABLES)
def test_a_variable_stands_in_where_the_program_cannot_do_without_it(tmp_path: Path, text: str) -> None:
    value = variables(project(tmp_path, f"import os\n{text}\n")).get("X")
    assert form(value) == VARIABLES[text]


def test_variables_that_mean_something_of_their_own(tmp_path: Path) -> None:
    names = ("AWS_ACCOUNT_ID", "PATH", "PULUMI_STACK", "HOME", "PYTHONPATH", "DB_PASSWORD")
    found = variables(project(tmp_path, "".join(f"os.environ['{name}']\n" for name in names)))
    assert found["AWS_ACCOUNT_ID"] == "123456789012"
    assert set(found) == {"AWS_ACCOUNT_ID", "DB_PASSWORD"}


def test_a_module_of_a_package_is_found_by_its_name_and_what_is_no_python_is_passed_over(
    tmp_path: Path,
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "net.py").write_text("def make(given):\n return given['a']\n")
    file = project(
        tmp_path, f"{CONFIG}import wrong\nfrom parts import net\nnet.make(config.require_object('x'))\n"
    )
    (tmp_path / "wrong.py").write_text("def")
    assert form(stand_ins(file, "")["app:x"]) == {"a": "", "*": ""}


def test_what_names_a_stack_is_required(tmp_path: Path) -> None:
    project(tmp_path, f"{CONFIG}ref = pulumi.StackReference(config.require('other'))\n")
    assert read(tmp_path, "app").required == {"app:other": "string"}


def test_what_is_opened_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = project(tmp_path, f"{CONFIG}open(config.require('key')).read()\n")
    assert MARK in Path(str(stand_ins(file, "")["app:key"])).read_text()


OUTPUTS: Mapping[str, object] = {
    "ref.get_output('x').apply(lambda it: it[4])": [""] * 5,
    "x = ref.require_output('x')\nx.apply(take)\ndef take(it): return it['a']['b']": {
        "a": {"b": "", "*": ""},
        "*": "",
    },
    "x = ref.get_output('x')\nf(subnet_ids=x)": None,
    "ref.outputs['x']['a']": {"a": "", "*": ""},
}


@pytest.mark.parametrize(
    "text",
    [
        "for each in ['x', 'y']: ref.require_output(each)['id']",
        "zones = ('x', 'y')\nids = [make('a').get_output(zone)['id'] for zone in zones]",
        "zones = ['x', 'y']\nmore = zones\nfor each in more:\n    ref.require_output(each)['id']",
    ],
)
def test_outputs_that_a_loop_reads_by_their_names(tmp_path: Path, text: str) -> None:
    (tmp_path / "__main__.py").write_text(text)
    found = {name: [*use.fields] for name, use in read(tmp_path).outputs.items()}
    assert found == {"x": ["id"], "y": ["id"]}


@pytest.mark.parametrize("text", OUTPUTS)
def test_what_is_made_of_outputs_of_other_stacks(tmp_path: Path, text: str) -> None:
    project(tmp_path, f"ref = pulumi.StackReference('a/b/c')\n{text}\n")
    use = read(tmp_path).outputs["x"]
    assert (form(formed(use, "x")) if use.has_form() else None) == OUTPUTS[text]


LISTS = {
    "v.subnet_ids.apply(lambda ids: ids[3])": 4,
    "v.subnet_ids.apply(take)\ndef take(ids): return [ids[5], ids[0]]": 6,
    "v.subnet_ids[4]": 5,
    "ids = v.subnet_ids\nids[1]; ids[-1]": 3,
    "a, b, c, d = v.subnet_ids": 4,
    "v.subnet_ids.apply(lambda ids: ids[3:6])": 6,
    "v.subnet_ids.apply(lambda ids: ids[3:])": 4,
    "v.subnet_ids[9999]": 64,
    "v.name[7]": 3,
}


@pytest.mark.parametrize("text", LISTS)
def test_an_output_has_as_many_elements_as_the_program_takes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    project(tmp_path, f"{text}\n")
    monkeypatch.setattr("tapgate.embedded.aws_provider.marks._lookups", lambda: lookups(tmp_path))
    schema = ResourceSchema("awsx:ec2:Vpc", {}, {})
    several = marked(Type("list", args=(Type("string"),)), schema, "urn#subnetIds")
    assert len(cast("list[object]", several)) == LISTS[text]
    assert isinstance(marked(Type("string"), schema, "urn#name"), str)


def test_a_document_bears_its_marks_inside() -> None:
    use = Use()
    use.parsed().field("user")
    document = json.loads(str(formed(use, "seed")))
    assert form(document) == {"user": "", "*": ""}
    text = base64.b64decode(str(formed(Use(form="base64"), "seed"))).decode()
    assert MARK in str(formed(Use(form="base64"), "seed")).lower()
    assert text


@pytest.mark.parametrize(
    "text",
    [
        "x = x['a']\n" * 40,
        "def f(x): return f(x['a'])\nf(config)\n" * 10,
        "(" * 150 + ")" * 150,
        f"y = {'[{1: ' * 40}x{'}]' * 40}\n",
        f"def f(x, y=1): return x\ny = {'f(y=f(' * 30}x{'))' * 30}\n",
    ],
)
def test_what_has_no_end_is_read_in_no_time(tmp_path: Path, text: str) -> None:
    project(tmp_path, f"{CONFIG}x = config.require_object('x')\n{text}")
    assert "app:x" in read(tmp_path, "app").required or text.startswith("(")


def test_a_program_of_another_language_is_not_read_for_python_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository may have thousands of Python files beside a program in YAML."""
    monkeypatch.setattr(Program, "__init__", None)
    (tmp_path / "tool.py").write_text(CONFIG)
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: yaml\n")
    assert (lookups(tmp_path).forms, stand_ins(tmp_path / "Pulumi.yaml", "")) == ({}, {})
    assert "runtime" in outputs(tmp_path, "a/b/c")
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    with pytest.raises(TypeError):
        lookups(tmp_path)


@pytest.mark.parametrize(
    ("text", "tried"),
    [
        ("try:\n get_a()\nexcept Exception:\n make()\nget_b()", {"get_a"}),
        ("try:\n x = aws.s3.get_a()\nexcept:\n x = None", {"get_a"}),
        (
            "try:\n get_a()\nexcept (KeyError, builtins.Exception) as e:\n if str(e): raise\n make()",
            {"get_a"},
        ),
        ("try:\n get_a()\nexcept Exception:\n raise", set[str]()),
        ("try:\n get_a()\nexcept Exception:\n print(1)\n sys.exit(1)", set[str]()),
        ("try:\n get_a()\nexcept KeyError:\n make()", set[str]()),
        ("with contextlib.suppress(Exception):\n get_a()", {"get_a"}),
        ("with suppress(KeyError), open(1):\n get_a()", set[str]()),
        (
            "def f():\n return g()\ndef g():\n f(); get_a()\ntry:\n f()\nexcept Exception:\n pass",
            {"f", "g", "get_a"},
        ),
        (
            "class C:\n def f(self):\n  get_a()\nasync def g():\n try:\n  c.f()\n except Exception:\n  pass",
            {"f", "get_a"},
        ),
    ],
)
def test_after_the_failure_of_what_a_program_goes_on(tmp_path: Path, text: str, tried: set[str]) -> None:
    (tmp_path / "__main__.py").write_text(text)
    assert read(tmp_path).tried == tried
