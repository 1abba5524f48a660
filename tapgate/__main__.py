"""Entry point of `python -m tapgate`: joins the tool and the embedded environment."""

from __future__ import annotations

import sys

from tapgate.cli import main
from tapgate.embedded.command import main as prepared

sys.exit(prepared() if sys.argv[1:2] in (["exec"], ["env"]) else main())
