"""What `env` prints, as a real shell takes it."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from tapgate.embedded.prepare import exports

NAMES = st.from_regex(r"TAP_[A-Za-z0-9_]{1,12}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, VALUES | st.none(), max_size=12))
def test_a_shell_reads_back_every_value(changes: dict[str, str | None]) -> None:
    before = dict.fromkeys(changes, "before") | {"PATH": "/usr/bin:/bin"}
    outcome = subprocess.run(
        ["/bin/sh", "-c", 'eval "$1"; exec env -0', "sh", exports(changes)],
        env=before,
        capture_output=True,
        check=True,
    )
    read = dict(line.split("=", 1) for line in outcome.stdout.decode().split("\0") if line)
    assert {name: read.get(name) for name in changes} == changes


def test_a_name_that_no_shell_takes_is_left_out() -> None:
    assert exports({"A B": "x", "1A": "x", "A;id": None, "GOOD": "it's"}) == "export GOOD='it'\"'\"'s'\n"
