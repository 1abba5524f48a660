"""Turns a failed run of the engine into one message: what is wrong, where, why it matters, how to fix it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tapgate.failure import CouldNotRunError
from tapgate.json_access import sanitized, sanitized_lines
from tapgate.sources import urn_name, urn_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapgate.events import Diagnostic, EventLog

# A SyntaxError's own last frame, which is in no function, says where it is.
_FRAME: Final = re.compile(r'\s*File "(?P<file>.+?)", line (?P<line>[0-9]+)(?:, in .+)?')
# What gRPC writes of a call that failed, over several lines.
_CALL: Final = re.compile(r"_InactiveRpcError of RPC that terminated with")
_REASON: Final = re.compile(r'\s+details = "(?P<text>.*)"')
_NOTHING_SAID: Final = re.compile(
    r"Program failed with an unhandled exception|"
    r"During handling of the above exception, another exception occurred|"
    r"The above exception was the direct cause of the following exception"
)
_LIBRARY: Final = re.compile(r"(?:^|/)(?:site-packages|lib/python[0-9.]+|node_modules|pulumi/policy)/|^<")
_FROM_PATH: Final = re.compile(r"^warning: using \S+ from \$PATH at ")
_MOST_DETAILS: Final = 12
# The engine does not say whose failure one of AnalyzeStack is; a resource's or a provider's has a URN.
_PACK_DIED: Final = re.compile(r"Exception calling application|error reading from server|code = Unavailable")
UNKNOWN_CAUSE: Final = "The program does not run to its end."
"""What is wrong when the engine's words are none of the known ones."""
_PACK_FAILED: Final = "failed to run stack policy"


@dataclass(frozen=True, slots=True)
class _Known:
    """A failure that the engine words in a known way.

    Attributes:
        pattern: those words; the group in it that matched is `{it}` in `what` and `fix`.
        whole: this says all that the engine's words say.
    """

    pattern: re.Pattern[str]
    what: str
    why: str
    fix: str
    whole: bool = False


_INSTALL: Final = (
    "run the gate with --install, which makes the environment that the project asks for; what is in none of "
    "requirements.txt, uv.lock, poetry.lock and pyproject.toml has to be added there."
)
_KNOWN: Final = (
    _Known(
        re.compile(
            r"(?:failed to compute (?:archive|asset) hash|reading (?:archive|asset))\b.*?: "
            r"(?:open|stat|lstat) ([^\n]+?): no such file or directory|"
            r"(?:failed to open (?:archive|asset) file|couldn't read archive path) '([^'\n]+)'"
        ),
        "The program deploys {it}, which is not there: build it first.",
        "the engine reads what is deployed already for a preview.",
        "run the project's build step, which makes this file or folder, then run the gate again.",
        whole=True,
    ),
    _Known(
        re.compile(
            r"could not find latest version for provider ([\w-]+)|"
            r"no resource plugin 'pulumi-resource-([\w-]+?)(?:-v[\d.]+\S*)?'|"
            r"(?:download and install|downloading) (?:resource )?(?:plugin|provider)"
            r" '?(?:pulumi-resource-)?([\w-]+?)(?:-v[\d.]+\S*)?'?(?=[\s:]|$)|"
            r"could not load plugin for ([\w-]+) provider"
        ),
        'The provider plug-in of package "{it}" is missing.',
        "the engine asks the provider to check each resource, and there is none that it could ask.",
        "put pulumi-resource-{it} on PATH (installed plug-ins are in ~/.pulumi/plugins), or, with "
        "--aws real, run `pulumi plugin install resource {it}` where it can be downloaded.",
    ),
    _Known(
        re.compile(r"passphrase must be set with|incorrect passphrase"),
        "The stack's secrets cannot be opened.",
        "the engine decrypts the stack's config and state before it runs the program.",
        "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the stack's passphrase; if a KMS "
        "key encrypts them instead, commit `secretsprovider` and `encryptedkey`, which `pulumi stack init` "
        "wrote into Pulumi.<stack>.yaml, or set PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true.",
    ),
    _Known(
        re.compile(r"secrets \(code=\w+\)|operation error KMS|get stack secrets manager"),
        "The stack's secrets cannot be opened with the key that they hang on.",
        "the engine decrypts the stack's config and state before it runs the program.",
        "allow the role kms:Decrypt, kms:Encrypt and kms:DescribeKey on the key that the engine names below "
        "(`secretsprovider` of Pulumi.<stack>.yaml), and see that the key is enabled.",
    ),
    _Known(
        re.compile(r"PULUMI_ACCESS_TOKEN must be set|not logged in|invalid access token"),
        "No Pulumi backend is logged in.",
        "a stack's state lives in a backend, and the engine reads it first.",
        "run `pulumi login` (or `pulumi login --local`), or set PULUMI_BACKEND_URL.",
    ),
    _Known(
        re.compile(r"unable to open state directory|unable to open bucket"),
        "The Pulumi backend cannot be opened.",
        "a stack's state lives in it, and the engine reads it first.",
        "correct PULUMI_BACKEND_URL, or create the folder or bucket it names.",
    ),
    _Known(
        re.compile(r"the stack is currently locked by|Another update is currently in progress"),
        "The stack is locked by another run.",
        "two runs at once would overwrite each other's state.",
        "wait for the other run; if none is left, `pulumi cancel` removes its lock.",
    ),
    _Known(
        re.compile(r"The pack is configured once, by the engine"),
        "Something other than the engine configured the policy pack.",
        "a program that reaches the pack decides about its own case, so nothing that it answered counts.",
        "take out of the program, and of what it starts, what calls the engine's plug-ins.",
    ),
    _Known(
        re.compile(
            r"validating policy config|configuring policy pack|"
            r"parsing enforcement level|does not support config|"
            r"is not a valid value; must be a string or object"
        ),
        "The policy pack's config does not match what the pack accepts.",
        "a setting that is not understood must not silently stay at its default.",
        "correct the operator's policy-config, or the file after --policy-pack-config; the pack's "
        "documentation lists the keys.",
    ),
    _Known(
        re.compile(
            r"policy pack .* failed to start|could not start policy pack|policy pack not started|"
            r"failed to load Pulumi policy|"
            r"failed to run policy|failed to run stack policy|failed to analyze resources"
        ),
        "The policy pack does not run.",
        "a pack that does not run protects nothing, so this is never a pass.",
        "correct the pack (its own words are below); its requirements must be installed.",
    ),
    _Known(
        re.compile(
            r"ExpiredToken|security token included in the request is (?:expired|invalid)|"
            r"InvalidClientTokenId|UnrecognizedClientException|Unable to locate credentials|"
            r"[Vv]alidate (?:AWS )?credentials|No valid credential sources"
        ),
        "AWS does not accept the credentials.",
        "they are missing, expired or not valid, so nothing can be read, created or changed with them.",
        "renew them (`aws sso login`, or a fresh session of the role), see that "
        "`aws sts get-caller-identity` answers, and run it again.",
    ),
    _Known(
        re.compile(r"not allowed by the plan|violates plan|expected resource operations"),
        "The deployment is not the one that was previewed.",
        "only what the policies have seen may be deployed; the engine stopped at the first difference.",
        "run `tapgate deploy` again: it previews, and gates, what the program declares now.",
    ),
    _Known(
        re.compile(r"validating stack config|missing required configuration|Missing required configuration"),
        "The stack's config does not fit the project.",
        "the program would run with values that no one meant.",
        "correct Pulumi.<stack>.yaml; Pulumi.yaml lists the keys and their types.",
    ),
    _Known(
        re.compile(r"could not unmarshal|invalid YAML file"),
        "A project file cannot be read.",
        "the engine takes the program and its config from it.",
        "correct the file's YAML.",
    ),
    _Known(
        re.compile(r"unknown flag: (?:--event-log|--json|--config-file)"),
        "The pulumi CLI is too old.",
        "the gate needs its event log to prove that the pack was evaluated.",
        "install Pulumi 3.255 or later.",
    ),
    _Known(
        re.compile(r"failed to load language plugin|no language plugin|language plugin .* not found"),
        "The language host of the program or the pack is missing.",
        "the engine starts programs and packs through it.",
        "install the full Pulumi CLI; `tapgate doctor` shows what is there.",
    ),
    _Known(
        re.compile(
            r"no resource plugin|could not find plugin|failed to install|"
            r"error downloading (?:plugin|provider)|Could not automatically download and install"
        ),
        "A provider plugin is missing.",
        "the engine asks the provider to check each resource.",
        "run `pulumi install` in the project, or put the plugin on PATH.",
    ),
    _Known(
        re.compile(r"Read-only file system|read-only file system|EROFS"),
        "The program writes to a file or folder that it may only read.",
        "in the sandbox nothing can be written to but temporary folders (TMPDIR) and a small project's own.",
        "have the program write there, or build what it needs before; where the program is trusted, "
        "--sandbox off runs it without.",
    ),
    _Known(
        re.compile(
            r"Network is unreachable|network is unreachable|ENETUNREACH|no such host|EAI_AGAIN|ENOTFOUND|"
            r"[Nn]ame resolution|Name or service not known"
        ),
        "The program asks the network for something, and gets no answer.",
        "in the sandbox there is no network, so that no verdict depends on what is elsewhere.",
        "give the program the value by its configuration; where the program is trusted, --sandbox off runs "
        "it without.",
    ),
    _Known(
        re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'"),
        "The program's Python environment lacks the module {it}.",
        "the program cannot run without what it imports.",
        _INSTALL,
    ),
    _Known(
        re.compile(r"The 'virtualenv' option in Pulumi\.yaml is set to \"([^\"]+)"),
        "The program's Python environment {it} is not there.",
        "the program runs in the environment that its project names.",
        _INSTALL,
    ),
)


def could_not_run(log: EventLog, errors: str, *, where: str, interrupted: bool = False) -> CouldNotRunError:
    """Say why a run gave no verdict."""
    if interrupted:
        return CouldNotRunError(
            "The run was interrupted.",
            where=where,
            why="it was stopped before there was a verdict; nothing was changed by the gate.",
            fix="run it again.",
        )
    failed = log.errors()
    said = [line.removeprefix("error: ") for line in sanitized_lines(errors) if not _FROM_PATH.search(line)]
    printed = [
        line for one in log.diagnostics if one.severity == "info#err" for line in sanitized_lines(one.message)
    ]
    died = any(not one.urn and _PACK_DIED.search(one.message) for one in failed)
    closing = [_PACK_FAILED] if died else []
    everything = "\n".join([*said, *(one.message for one in failed), *printed, *closing])
    details = _details(failed, said, printed)
    for known in _KNOWN:
        found = known.pattern.search(everything)
        if found is not None:
            it = sanitized(next(filter(None, found.groups()), ""))
            return CouldNotRunError(
                known.what.format(it=it),
                where=where,
                why=known.why,
                fix=known.fix.format(it=it),
                details=() if known.whole else details,
            )
    return CouldNotRunError(
        UNKNOWN_CAUSE,
        where=_first_place(failed, where),
        why="the engine could not see the whole stack, so nothing can be said about it.",
        fix="correct what the engine reports below, then run the gate again.",
        details=details,
    )


def _first_place(failed: Sequence[Diagnostic], where: str) -> str:
    for one in failed:
        if one.urn and urn_type(one.urn) != "pulumi:pulumi:Stack":
            return f"{where}, resource {sanitized(urn_name(one.urn))} ({sanitized(urn_type(one.urn))})"
    return where


def _details(failed: Sequence[Diagnostic], said: Sequence[str], printed: Sequence[str]) -> tuple[str, ...]:
    """Collect the engine's words, each line once, tracebacks reduced to their cause and source."""
    lines: list[str] = []
    for group in (*(sanitized_lines(one.message) for one in failed), list(said), list(printed)):
        lines.extend(line for line in _errors_first(without_traceback(group)) if line not in lines)
    if len(lines) > _MOST_DETAILS:
        lines[_MOST_DETAILS:] = [f"… and {len(lines) - _MOST_DETAILS} more lines"]
    return tuple(lines)


def _errors_first(lines: list[str]) -> list[str]:
    """Put what the YAML runtime says of errors before its warnings, each with the lines that show where."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(("Error: ", "Warning: ")):
            blocks.append([])
        blocks[-1].append(line)
    blocks.sort(key=lambda block: block[:1] != [] and block[0].startswith("Warning: "))
    return [line for block in blocks for line in block]


def without_traceback(lines: Sequence[str]) -> list[str]:
    """Reduce each Python traceback to `ValueError: text (file.py:12)`; other lines stay.

    An exception may be of any class, so its line is told by where it stands: the first one after the frames
    that is not indented.
    """
    kept: list[str] = []
    source = ""
    inside = False
    for line in without_calls(lines):
        frame = _FRAME.fullmatch(line)
        if frame is not None:
            inside = True
            if not source or not _LIBRARY.search(frame["file"]):
                source = f"{frame['file']}:{frame['line']}"
        elif line.strip().startswith("Traceback (most recent call last)"):
            inside, source = True, ""
        elif not inside:
            kept.append(line)
        elif not line[:1].isspace():
            kept.append(f"{line} ({source})" if source else line)
            inside, source = False, ""
    return [line for line in kept if not _NOTHING_SAID.search(line)]


def without_calls(lines: Sequence[str]) -> Iterator[str]:
    """Reduce what gRPC writes of each call that failed to the reason that was given for it."""
    inside = False
    for line in lines:
        inside = inside and line[:1] in {" ", "\t", ">"}
        if _CALL.search(line):
            inside = True
        elif not inside:
            yield line
        elif (reason := _REASON.fullmatch(line)) is not None:
            yield reason["text"]
