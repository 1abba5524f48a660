"""Entry point of `python -m tapgate`, which is the command `tapgate`."""

from __future__ import annotations

import sys

try:
    from tapgate.cli import main

    sys.exit(main())
except KeyboardInterrupt:  # While the modules are imported; what runs has its own answer.
    sys.exit(130)
