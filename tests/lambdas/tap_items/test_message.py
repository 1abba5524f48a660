from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_items.record import ItemKey
from tap_items.work_queue import MAX_MESSAGE_BYTES, InvalidMessageError, decode_message, encode_message

KEYS = st.builds(ItemKey, st.from_regex("[0-9a-f]{32}", fullmatch=True), st.integers(0, 2**53 - 1))


@given(KEYS)
def test_what_is_encoded_is_decoded(key: ItemKey) -> None:
    assert decode_message(encode_message(key)) == key


@given(st.text(max_size=300))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    with pytest.raises(InvalidMessageError):
        decode_message(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "malformed JSON (line 1, column 1)"),
        ("[]", "/ must be an object"),
        ("\ud800", "not UTF-8 (byte 0)"),
        ('{"version":1,"id":"../../etc/passwd","timestamp":1}', "/id must match ^[0-9a-f]{32}$"),
        ('{"version":2,"id":"%s","timestamp":1}' % ("0" * 32), "/version must lie between 1 and 1"),
        ('{"version":1,"id":"%s","timestamp":1.0}' % ("0" * 32), "/timestamp must be an integer"),
        (" " * (MAX_MESSAGE_BYTES + 1), f"longer than {MAX_MESSAGE_BYTES} characters"),
    ],
)
def test_foreign_messages_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        decode_message(text)
    assert str(caught.value) == message
