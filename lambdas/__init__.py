"""The code that runs in AWS: `api_handler`, `processor`, and `tap_items`, which both of them carry."""
