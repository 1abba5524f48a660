"""The rules: one a file, with its cases beside it (`<name>.cases.yaml`). The folder is the list."""
