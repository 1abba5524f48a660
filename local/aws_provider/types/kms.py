"""Key Management Service."""

from __future__ import annotations

from typing import Final

from local.aws_provider.types.description import Description, Limit

DESCRIPTIONS: Final[dict[str, Description]] = {
    "aws:kms/key:Key": Description(
        replaces=frozenset(
            {"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"}
        ),
        defaults={
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        documents=frozenset({"policy"}),
        limits={
            "deletionWindowInDays": Limit(minimum=7, maximum=30),
            "rotationPeriodInDays": Limit(minimum=90, maximum=2560),
            "keyUsage": Limit(
                choices=("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")
            ),
        },
    ),
    "aws:kms/alias:Alias": Description(replaces=frozenset({"name", "namePrefix"})),
    "aws:kms/keyPolicy:KeyPolicy": Description(
        replaces=frozenset({"keyId"}), documents=frozenset({"policy"})
    ),
}
