"""A component that needs no provider."""

import sys
from typing import TypedDict

import pulumi


class BoxArgs(TypedDict):
    """What a box is made of."""

    size: pulumi.Input[int]


class Box(pulumi.ComponentResource):
    """A box, and the interpreter that made it."""

    doubled: pulumi.Output[int]
    interpreter: pulumi.Output[str]

    def __init__(self, name: str, args: BoxArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("box:index:Box", name, {"size": args["size"]}, opts)
        self.doubled = pulumi.Output.from_input(args["size"]).apply(lambda size: int(size) * 2)
        self.interpreter = pulumi.Output.from_input(sys.executable)
        self.register_outputs({"doubled": self.doubled, "interpreter": self.interpreter})
