"""Print the distributions of this interpreter's environment as JSON, with each one's pulumi-plugin.json."""

import json
import os
import re
import sys
from importlib import metadata


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def plugin_of(distribution, name):
    path = distribution.locate_file(os.path.join(name.replace("-", "_"), "pulumi-plugin.json"))
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError:
        return None


found, required = {}, set()
for distribution in metadata.distributions():
    name = distribution.metadata["Name"]
    if not name or normalized(name) in found:
        continue
    found[normalized(name)] = (name, distribution)
    for requirement in distribution.requires or ():
        if "extra ==" not in requirement:
            required.add(normalized(re.match(r"[\w.-]+", requirement).group()))

json.dump(
    [
        {
            "name": key,
            "version": distribution.version,
            "required": key in required,
            "plugin": plugin_of(distribution, name),
        }
        for key, (name, distribution) in sorted(found.items())
    ],
    sys.stdout,
)
