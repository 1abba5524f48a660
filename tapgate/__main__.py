"""Entry point of `python -m tapgate`, which is the command `tapgate`."""

from __future__ import annotations

import sys

from tapgate.cli import main

sys.exit(main())
