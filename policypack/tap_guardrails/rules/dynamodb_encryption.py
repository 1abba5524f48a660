"""DynamoDB tables, and every replica of them, are encrypted with a KMS key.

DynamoDB always encrypts. The question is with whose key: one that AWS owns and no one sees, one that AWS
manages in the account, or the customer's. A replica that names no key gets the one that AWS manages, even
when its table has the customer's.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
"""

from __future__ import annotations

from typing import Final

from tap_guardrails.aws import CUSTOMER, CUSTOMER_KEY, KEY_SETTING, KEY_TYPES, TABLE, TABLE_REPLICA, named_key
from tap_guardrails.model import UNKNOWN, Outcomes, Resource, Settings, Stack, StackRule

AWS_TABLE: Final = "aws:dynamodb/table:Table"
NATIVE_TABLE: Final = "aws-native:dynamodb:Table"

OWNED: Final = "The table is encrypted with a key that AWS owns, which no one can audit or take away."


def check(table: Resource, stack: Stack, settings: Settings) -> Outcomes:
    """Check a table, or a replica declared by itself."""
    own_key = settings.enum("key") == CUSTOMER
    if table.type in TABLE_REPLICA.types:
        if own_key:
            yield from named_key(table, stack, table.at("kmsKeyArn"))
        return
    if table.type == AWS_TABLE:
        block, switch, key = table.at("serverSideEncryption"), "enabled", "kmsKeyArn"
    else:
        block, switch, key = table.at("sseSpecification"), "sseEnabled", "kmsMasterKeyId"
    enabled = table.as_set(block.at(switch)).boolean()
    yield from enabled.must(bool, problem=OWNED, required="true")
    on = enabled.unknown or enabled.value
    if own_key and on and table.type in (AWS_TABLE, NATIVE_TABLE):
        yield from named_key(table, stack, block.at(key))
    if own_key and table.type != NATIVE_TABLE:
        yield from replicas(table, stack)


def replicas(table: Resource, stack: Stack) -> Outcomes:
    """Require a customer's key of each replica that a table declares.

    A key that is not set is as unknown before deployment as one that is. The dependencies are those of the
    whole list, so there have to be as many keys among them as replicas that leave it open: each region has
    its own.
    """
    listed = table.at("replicas").items()
    yield from listed.unsettled(f"a list of replicas that is known, each with {CUSTOMER_KEY}")
    steps = ("kmsKeyArn",) if table.type == AWS_TABLE else ("sseSpecification", "kmsMasterKeyId")
    keys = [replica.at(*steps) for replica in listed.value or ()]
    unknown = [key for key in keys if key.value is UNKNOWN]
    enough = len(stack.dependencies_of(table, "replicas", KEY_TYPES)) >= len(unknown)
    for key in keys:
        if key.value is UNKNOWN and not enough and table.property_dependencies.get(key.top):
            yield key.text().undecided(
                CUSTOMER_KEY,
                "Undecided before deployment: there are more replicas than keys.",
                "Name a key in each replica's region.",
            )
        else:
            yield from named_key(table, stack, key)


RULE = StackRule(
    name="dynamodb-encryption",
    title="DynamoDB tables are encrypted",
    description="DynamoDB tables and their replicas are encrypted with a KMS key of the customer's.",
    why="Who may read the table is then also a matter of the key, which can be audited and taken away.",
    fix="Set `serverSideEncryption: {enabled: true, kmsKeyArn: <your key>}` and `kmsKeyArn` on each replica.",
    severity="medium",
    url="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html",
    types=(*TABLE.types, *TABLE_REPLICA.types),
    settings=(KEY_SETTING,),
    check=check,
)
