"""Names nested types as pulumi-aws's own schema does, e.g. `aws:s3/BucketCorsRule:BucketCorsRule`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapgate.embedded.aws_provider.sdk_annotations import Side

_INDEX = "index"


def module_of(folder: str) -> str:
    """Return the module of a folder of pulumi_aws: `lambda_` is `lambda`, the package itself is `index`."""
    return _INDEX if folder == "pulumi_aws" else folder.rstrip("_")


def type_token(module: str, name: str, side: Side) -> str:
    """Return the token of an object's class.

    Args:
        module: Its module.
        name: The class, e.g. `BucketCorsRuleArgs`, or of a function's result `GetSecretSecretResult`.
        side: Whether programs give or get it. Both classes of one object have one token.
    """
    stem = name.removesuffix("Args" if side == "inputs" else "Result") if _generated(name, side) else name
    if stem.startswith("Get"):
        stem = stem[0].lower() + stem[1:]
    return f"aws:{module}/{stem}:{stem}"


def _generated(name: str, side: Side) -> bool:
    return side == "inputs" or name.startswith("Get")


@dataclass(frozen=True, slots=True)
class ModuleTypes:
    """Refers to nested types from one module of pulumi_aws.

    Attributes:
        module: The module, e.g. `s3`.
    """

    module: str

    def refer(self, reference: str, side: Side) -> str:
        """Return the token of an object's type."""
        module, name = self._place(reference)
        return type_token(module, name, side)

    def enumeration(self, reference: str) -> str:
        """Return the token of an enumeration's type."""
        module, name = self._place(reference)
        return f"aws:{module}/{name}:{name}"

    def _place(self, reference: str) -> tuple[str, str]:
        prefix, _, name = reference.rpartition(".")
        if prefix in {"", "outputs"}:
            return self.module, name
        # `_iam.PolicyStatementArgs`, `_root_enums.Region`
        return (_INDEX if prefix.startswith("_root") else prefix.strip("_").partition(".")[0]), name
