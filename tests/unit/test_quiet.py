"""When silence is unusual."""

import pytest

from pipeline.core.quiet import unusual_silence_s


@pytest.mark.parametrize(
    ("hours", "seconds"),
    [
        ([0] * 24, None),
        ([3600] * 24, 300),  # one a second: five minutes at least
        ([0] * 16 + [60] * 8, 600),  # one a minute, in one shift
        ([0] * 23 + [1], 36_000),
    ],
)
def test_silence_is_unusual_after_ten_times_the_usual_distance(hours: list[int], seconds: float | None) -> None:
    assert unusual_silence_s(hours) == seconds
