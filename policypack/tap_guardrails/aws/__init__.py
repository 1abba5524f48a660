"""What AWS does, as data: kinds of resources, metrics, limits. Each table names the page it is taken from."""
