"""Export what a program sees of its stack and of its interpreter."""

import sys

import pulumi

config = pulumi.Config()
print("a line on stdout", flush=True)
print("a line on stderr", file=sys.stderr, flush=True)
pulumi.export("greeting", config.get("greeting"))
pulumi.export("token", config.get_secret("token"))
pulumi.export("interpreter", sys.executable)
pulumi.export("stack", f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}")
