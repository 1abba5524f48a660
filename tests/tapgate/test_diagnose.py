from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapgate.diagnose import could_not_run, without_traceback
from tapgate.events import EventLog
from tests.tapgate.sample_log import KEY, diagnostic, events

TRACEBACK = """Program failed with an unhandled exception:
Traceback (most recent call last):
  File "/home/me/.venv/lib/python3.11/site-packages/pulumi/policy/__main__.py", line 61, in main
    runpy.run_path(program, run_name="__main__")
  File "<frozen runpy>", line 88, in _run_code
  File "/home/me/pack/__main__.py", line 9, in <module>
    PolicyPack(
    ^^^^^^^^^^^
  File "/usr/lib/python3.11/json/__init__.py", line 3, in loads
TypeError: got an unexpected keyword argument 'version'
"""


@pytest.mark.parametrize(
    ("errors", "what"),
    [
        (
            "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
            "The stack's secrets cannot be opened.",
        ),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "No Pulumi backend is logged in."),
        ("error: unable to open state directory", "The Pulumi backend cannot be opened."),
        ("error: the stack is currently locked by 1 lock(s)", "The stack is locked by another run."),
        ("error: validating policy config", "The policy pack's config does not match what the pack accepts."),
        ('error: policy pack "x" failed to start', "The policy pack does not run."),
        ("error: validating stack config: x", "The stack's config does not fit the project."),
        ("error: could not unmarshal x", "A project file cannot be read."),
        ("error: unknown flag: --event-log", "The pulumi CLI is too old."),
        (
            "error: failed to load language plugin x",
            "The language host of the program or the pack is missing.",
        ),
        ("error: could not find plugin of some kind", "A provider plugin is missing."),
        (
            "error: Could not automatically download and install resource plugin 'pulumi-resource-aws'",
            'The provider plug-in of package "aws" is missing.',
        ),
        (
            "error: no resource plugin 'pulumi-resource-aws-native-v1.2.3' found in the workspace",
            'The provider plug-in of package "aws-native" is missing.',
        ),
        (
            'error: loading package "random": could not find latest version for provider random: Get "x"',
            'The provider plug-in of package "random" is missing.',
        ),
        (
            "error: kms create_key: The security token included in the request is expired",
            "AWS does not accept the credentials.",
        ),
        (
            "ModuleNotFoundError: No module named 'boto3.session' (app.py:3)",
            "The program's Python environment lacks the module boto3.session.",
        ),
        (
            'error: The \'virtualenv\' option in Pulumi.yaml is set to "venv", but "/v" doesn\'t exist',
            "The program's Python environment venv is not there.",
        ),
        ("error: No valid credential sources found", "AWS does not accept the credentials."),
        ("error: something else", "The program does not run to its end."),
    ],
)
def test_the_engines_words_are_understood(errors: str, what: str) -> None:
    failure = could_not_run(EventLog(), errors, where="project p, stack s")
    assert failure.what == what
    assert failure.details == (errors.removeprefix("error: "),)
    assert all((failure.where, failure.why, failure.fix))


def test_a_script_of_the_automation_api_is_told_from_a_program() -> None:
    said = "error: unable to find main python program `__main__.py` in `/work/deployer`"
    failure = could_not_run(EventLog(), said, where="project p, stack s")
    assert failure.what == "There is no program in /work/deployer: it has no __main__.py."
    assert "Automation API" in failure.why
    assert failure.details == ()


def test_a_failing_resource_is_named() -> None:
    log = events(diagnostic("error", "bad \x1b[31mname\x1b[0m\n", KEY), diagnostic("error", "preview failed"))
    failure = could_not_run(log, "", where="project p, stack s")
    assert failure.where == "project p, stack s, resource tap-key (aws:kms/key:Key)"
    assert failure.details == ("bad name",)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("OSError: [Errno 30] Read-only file system: 'out.zip'", "writes to a file or folder"),
        ("Error: EROFS: read-only file system, mkdir 'dist'", "writes to a file or folder"),
        ("open x: read-only file system", "writes to a file or folder"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "asks the network"),
        (
            "AssertionError: get can only be used with classes decorated with @input_type or @output_type",
            "calls a function with what is unknown",
        ),
        ("Error: getaddrinfo EAI_AGAIN example.com", "asks the network"),
        ("dial tcp: lookup example.com: no such host", "asks the network"),
        ("error downloading provider x: lookup y: no such host", "plug-in"),
    ],
)
def test_what_a_sandbox_refuses(words: str, what: str) -> None:
    assert what in could_not_run(EventLog(), f"error: {words}", where="w").what


@pytest.mark.parametrize(
    "words", ["Exception calling application: x", "code = Unavailable", "error reading from server"]
)
def test_what_died_is_a_pack_only_where_packs_run(words: str) -> None:
    log = events(diagnostic("error", words))
    assert could_not_run(log, "", where="w").what == "The policy pack does not run."
    without = could_not_run(log, "", where="w", packs=False)
    assert without.what == "A provider failed or ended in the middle of the run."
    assert without.details == (words,)


def test_an_interrupted_run_says_so() -> None:
    assert (
        could_not_run(EventLog(), "error: x", where="w", interrupted=True).what == "The run was interrupted."
    )


def test_a_traceback_becomes_its_cause_and_place() -> None:
    assert without_traceback(TRACEBACK.splitlines()) == [
        "TypeError: got an unexpected keyword argument 'version' (/home/me/pack/__main__.py:9)"
    ]
    assert without_traceback(["before", *TRACEBACK.splitlines(), "after"])[::2] == ["before", "after"]
    bare = ["Traceback (most recent call last):", "KeyError"]
    assert without_traceback(bare) == ["KeyError"]


@pytest.mark.parametrize(
    "raised",
    [
        "Exception: invoke of aws:ssm/getParameter:getParameter failed: there is no parameter",
        "NoSuchThing: of a class of the program's own",
        "grpc.aio.AioRpcError",
    ],
)
def test_an_exception_of_any_class_is_shown(raised: str) -> None:
    said = ["Traceback (most recent call last):", '  File "/me/__main__.py", line 4, in <module>', "    f()"]
    assert without_traceback([*said, raised, "second line"]) == [
        f"{raised} (/me/__main__.py:4)",
        "second line",
    ]


CALL = [
    "Traceback (most recent call last):",
    '  File "/x/site-packages/grpc/_channel.py", line 990, in _end_unary_response_blocking',
    "    raise _InactiveRpcError(state)",
    "grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:",
    "\tstatus = StatusCode.UNKNOWN",
    '\tdetails = "there is no such key"',
    '\tdebug_error_string = "UNKNOWN:there is no such key"',
    ">",
    "During handling of the above exception, another exception occurred:",
    *TRACEBACK.splitlines()[1:],
]


def test_of_a_failed_call_its_reason_is_shown() -> None:
    reason, raised = without_traceback(CALL)
    assert reason.startswith("there is no such key (")
    assert raised.startswith("TypeError: ")
    (cut_off,) = without_traceback([*CALL[:5], "what comes next"])
    assert cut_off.startswith("what comes next")


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (
            'failed to compute archive hash for "code": open build/f.zip: no such file or directory',
            "build/f.zip",
        ),
        (
            'failed to compute asset hash for "source": stat /a b/c: no such file or directory',
            "/a b/c",
        ),
        (
            "failed to open asset file 'site/index.html': open site/index.html: no such file",
            "site/index.html",
        ),
    ],
)
def test_a_missing_artefact_is_one_line(said: str, path: str) -> None:
    failure = could_not_run(EventLog(), f"error: {said}", where="project p, stack s")
    assert failure.what == f"The program deploys {path}, which is not there: build it first."
    assert failure.details == ()


def test_a_syntax_error_is_shown_where_it_is() -> None:
    said = [
        "Traceback (most recent call last):",
        '  File "/x/bin/pulumi-language-python-exec", line 188, in <module>',
        "    loop.run_until_complete(coro)",
        '  File "/home/me/project/__main__.py", line 2',
        '    aws.kms.Key("k"',
        "               ^",
        "SyntaxError: '(' was never closed",
    ]
    place = "/home/me/project/__main__.py:2"
    assert without_traceback(said) == [f"SyntaxError: '(' was never closed ({place})"]


def test_errors_of_the_yaml_runtime_come_before_its_warnings() -> None:
    said = (
        "Warning: miscapitalized\n  on Pulumi.yaml line 6:\nError: no such function\n  on Pulumi.yaml line 7:"
    )
    shown = could_not_run(events(diagnostic("error", said)), "", where="x").details
    assert shown == (
        "Error: no such function",
        "  on Pulumi.yaml line 7:",
        "Warning: miscapitalized",
        "  on Pulumi.yaml line 6:",
    )


def test_the_same_line_is_shown_once_and_many_lines_are_cut() -> None:
    log = events(*(diagnostic("info#err", f"line {n}") for n in range(20)))
    failure = could_not_run(log, "error: line 3\nerror: line 3", where="w")
    assert failure.details[0] == "line 3"
    assert len(failure.details) == 13
    assert failure.details[-1] == "… and 8 more lines"


@given(st.lists(st.sampled_from([*TRACEBACK.splitlines(), "word", "  indented", "Error"])))
def test_no_traceback_is_ever_shown(lines: list[str]) -> None:
    kept = without_traceback(lines)
    assert not any("Traceback (most recent" in line or line.strip().startswith("File ") for line in kept)


@given(st.text(), st.text())
def test_any_words_give_a_message_in_the_form(errors: str, message: str) -> None:
    failure = could_not_run(events(diagnostic("error", message, KEY)), errors, where="w")
    assert all((failure.what, failure.where, failure.why, failure.fix))
