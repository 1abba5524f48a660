"""Lets the engine itself evaluate the packs' config files, on the smallest state there is."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tapgate.diagnose import could_not_run
from tapgate.engine import Engine
from tapgate.preview import pack_options, read_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tapgate.packs import RequestedPack

_STACK: Final = "pulumi:pulumi:Stack"
_STATE: Final = {
    "version": 3,
    "deployment": {
        "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
        "resources": [
            {"urn": f"urn:pulumi:check::check::{_STACK}::check-check", "custom": False, "type": _STACK}
        ],
    },
}


def require_valid_config(packs: Sequence[RequestedPack]) -> None:
    """Have the engine check each config against the schemas of its pack's policies.

    Raises:
        CouldNotRunError: it does not accept one.
    """
    if not any(pack.body for pack in packs):
        return
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
        state = Path(scratch) / "state.json"
        state.write_text(json.dumps(_STATE), encoding="utf-8")
        engine = Engine(Path(scratch), Path(scratch))
        run = engine.run(
            "policy",
            "analyze",
            "--file",
            str(state),
            "--json",
            *pack_options(packs, Path(scratch)),
            name="analyze",
        )
        log = read_log(run.output)
        if not log.result:
            where = ", ".join(str(pack.config) for pack in packs if pack.config)
            raise could_not_run(log, run.errors, where=where, interrupted=run.interrupted)
