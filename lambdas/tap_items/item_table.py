"""The metadata table: one record an item, changed by conditional writes only."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from tap_items.aws_clients import UnavailableError, error_code, unavailable_on_failure
from tap_items.observability import logger
from tap_items.record import ForeignRecordError, ItemKey, ItemRecord, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from tap_items.json_text import JsonValue

NO_ITEM = ItemKey("0" * 32, 0)
"""A key that no item has: asking for it proves that the table and its KMS key answer."""

_CONFLICT = "ConditionalCheckFailedException"
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


class ItemTable:
    """Records of one table with the key `id` (string) and `timestamp` (number)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def create(self, record: ItemRecord) -> ItemRecord | None:
        """Write a new record; when one has that key, change nothing and return that one."""
        with unavailable_on_failure("PutItem"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_attributes(record.attributes()),
                    ConditionExpression="attribute_not_exists(id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != _CONFLICT:
                    raise
                there = _record(cast("dict[str, Any]", error.response)["Item"])
                if there is None:
                    raise UnavailableError("PutItem", "ForeignRecord") from None
                return there
        return None

    def get(self, key: ItemKey) -> ItemRecord | None:
        """Return the record with that key, read consistently."""
        with unavailable_on_failure("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        return _record(answer["Item"]) if "Item" in answer else None

    def latest(self, item_id: str) -> ItemRecord | None:
        """Return the youngest record with that id, read consistently."""
        with unavailable_on_failure("Query"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": item_id}},
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=1,
            )
        return _record(answer["Items"][0]) if answer["Items"] else None

    def page(self, limit: int, after: ItemKey | None) -> tuple[list[ItemRecord], ItemKey | None]:
        """Return up to `limit` records after a key, in no order, and the key to go on after, one of ours.

        The key of a row that others wrote is no cursor, so rows that are theirs alone are passed over here.
        """
        start: dict[str, Any] = {} if after is None else {"ExclusiveStartKey": _key(after)}
        while True:
            with unavailable_on_failure("Scan"):
                answer = self._client.scan(TableName=self._table, Limit=limit, **start)
            records = [record for record in map(_record, answer["Items"]) if record is not None]
            last = answer.get("LastEvaluatedKey")
            if records or not last:
                return records, records[-1].key if last else None
            start = {"ExclusiveStartKey": last}

    def mark_processed(self, key: ItemKey, result: Mapping[str, int], now: int) -> bool:
        """Move an item to `processed`; False when it was there already. Raises when it has no record."""
        return self._update(
            key,
            "SET #status = :processed, #result = :result, updatedAt = :now REMOVE reason",
            "#status <> :processed",
            {":result": dict(result), ":now": now, ":processed": Status.PROCESSED.value},
            {"#status": "status", "#result": "result"},
        )

    def mark_rejected(self, key: ItemKey, reason: str, attempts: int, now: int) -> None:
        """Move an item to `rejected`, unless it is processed."""
        self._update(
            key,
            "SET #status = :rejected, reason = :reason, attempts = :attempts, updatedAt = :now",
            "#status <> :processed",
            {
                ":rejected": Status.REJECTED.value,
                ":processed": Status.PROCESSED.value,
                ":reason": reason,
                ":attempts": attempts,
                ":now": now,
            },
            {"#status": "status"},
        )

    def record_failure(self, key: ItemKey, reason: str, attempts: int, now: int) -> None:
        """Keep why an attempt failed, while the item is `accepted`: a rejected one keeps why it was."""
        self._record_reason(key, reason, attempts, now, "#status = :accepted")

    def record_lost(self, key: ItemKey, reason: str, attempts: int, now: int) -> None:
        """Keep that an attempt ended unseen, while the item is `accepted` and that attempt left no reason."""
        self._record_reason(key, reason, attempts, now, "#status = :accepted AND attempts < :attempts")

    def _record_reason(self, key: ItemKey, reason: str, attempts: int, now: int, condition: str) -> None:
        self._update(
            key,
            "SET reason = :reason, attempts = :attempts, updatedAt = :now",
            condition,
            {":reason": reason, ":attempts": attempts, ":now": now, ":accepted": Status.ACCEPTED.value},
            {"#status": "status"},
        )

    def _update(
        self,
        key: ItemKey,
        change: str,
        condition: str,
        values: Mapping[str, JsonValue],
        names: dict[str, str],
    ) -> bool:
        with unavailable_on_failure("UpdateItem"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(key),
                    UpdateExpression=change,
                    ConditionExpression=f"attribute_exists(id) AND {condition}",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=_attributes(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != _CONFLICT:
                    raise
                if "Item" not in error.response:
                    raise UnavailableError("UpdateItem", "RecordMissing") from None
                return False
        return True


def _key(key: ItemKey) -> dict[str, Any]:
    return {"id": {"S": key.id}, "timestamp": {"N": str(key.timestamp)}}


def _attributes(values: Mapping[str, JsonValue]) -> dict[str, Any]:
    return {name: _serializer.serialize(value) for name, value in values.items()}


def _record(item: Mapping[str, Any]) -> ItemRecord | None:
    """Return the record in a row, or None for a row that others put there: it must not end a page of ours."""
    attributes = {name: _to_json(_deserializer.deserialize(value)) for name, value in item.items()}
    try:
        return ItemRecord.from_attributes(attributes)
    except ForeignRecordError as error:
        logger.warning("A row of the table is no record of ours", extra={"detail": str(error)})
        return None


def _to_json(value: Any) -> JsonValue:  # noqa: ANN401 - the deserializer knows no narrower type
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _to_json(member) for name, member in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_to_json(member) for member in cast("list[Any]", value)]
    # A set or bytes have no place in JSON, and in no record of ours.
    return value if isinstance(value, str | bool) else None
