"""The gate's commands: each is a module with `add_arguments` and `run`, imported when asked for."""
