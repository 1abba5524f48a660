from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processor.delivery import BASE_DELAY_SECONDS, MAX_DELAY_SECONDS, delay_seconds
from tests.lambdas.stand import MAX_RECEIVE_COUNT


@given(st.integers(1, 10_000), st.randoms())
def test_delays_stay_within_what_sqs_allows(attempt: int, random: object) -> None:
    seconds = delay_seconds(attempt, random.uniform)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]
    assert BASE_DELAY_SECONDS / 2 <= seconds <= MAX_DELAY_SECONDS


def test_delays_grow_up_to_a_ceiling() -> None:
    ceilings = [delay_seconds(attempt, lambda _, most: most) for attempt in range(1, 12)]
    assert ceilings[:4] == [BASE_DELAY_SECONDS * factor for factor in (1, 4, 16, 64)]
    assert ceilings[-1] == MAX_DELAY_SECONDS
    assert ceilings == sorted(ceilings)


def test_an_outage_of_seven_minutes_sends_nothing_to_the_dead_letter_queue() -> None:
    shortest = [delay_seconds(attempt, lambda least, _: least) for attempt in range(1, MAX_RECEIVE_COUNT)]
    assert sum(shortest) >= 7 * 60
