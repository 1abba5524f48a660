"""The gate: runs the real Pulumi engine with policy packs and turns what it says into one verdict.

`tapgate preview` answers three ways, in its exit code as in its text: 0 passed, 1 blocked by
policy, 2 could not run. A run that cannot prove that the packs were loaded and evaluated is never a pass.
"""
