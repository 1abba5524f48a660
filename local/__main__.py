"""`python -m local`."""

from __future__ import annotations

from local.command import main

raise SystemExit(main())
