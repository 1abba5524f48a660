"""`python -m tapgate`."""

from __future__ import annotations

from tapgate.embedded.command import main

raise SystemExit(main())
