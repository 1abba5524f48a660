"""The program in Python, with nothing but the SDK: the pack's own requirements have no AWS classes."""

from __future__ import annotations

import pulumi


class Resource(pulumi.CustomResource):
    """Any resource."""

    def __init__(self, kind: str, name: str, **properties: pulumi.Input[object]) -> None:
        tags = {"Project": "vendored", "Environment": "dev"}
        super().__init__(kind, name, {**properties, "tags": tags})


Resource("aws:kms/key:Key", "rotating", enableKeyRotation=True)
Resource("aws:kms/key:Key", "still", enableKeyRotation=False)
Resource("aws:sqs/queue:Queue", "queue", sqsManagedSseEnabled=True)
