"""`python -m local`."""

from __future__ import annotations

from local.command import main

if __name__ == "__main__":
    raise SystemExit(main())
