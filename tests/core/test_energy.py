"""Energy is what the power readings add up to, and nothing that nobody measured."""

import pytest

from core.energy import Energy, energy_kwh
from core.events import Measured
from core.history import fold
from core.wording import energy


def reading(time: float, watts: float | None) -> Measured:
    return Measured(time=time, used_bytes=1, total_bytes=2, on_card=True, power_watts=watts)


def test_power_over_time_is_energy() -> None:
    hour = [reading(second, 250 + 100 * (second % 2)) for second in range(3601)]
    assert energy_kwh(hour) == pytest.approx(0.3, rel=1e-3)
    assert fold(hour).energy.kwh == energy_kwh(hour)
    ramp = [reading(0, 0), reading(10, 100)]
    assert Energy().kwh is None
    assert energy_kwh(ramp) == pytest.approx(500 / 3.6e6)


def test_time_that_nobody_measured_is_not_counted() -> None:
    slept = [reading(0, 300), reading(1, 300), reading(8 * 3600, 300), reading(8 * 3600 + 1, 300)]
    assert energy_kwh(slept) == pytest.approx(2 * 300 / 3.6e6)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    jumped = [reading(100, 300), reading(101, 300), reading(40, 300), reading(41, 300)]
    assert energy_kwh(jumped) == pytest.approx(2 * 300 / 3.6e6)


def test_energy_is_told_as_the_meter_at_home_does() -> None:
    assert [energy(kwh) for kwh in (0.0004, 0.042, 0.096, 1.26, 1234.5)] == [
        "0 Wh", "42 Wh", "0.1 kWh", "1.3 kWh", "1,234.5 kWh",
    ]  # fmt: skip


@pytest.mark.parametrize("readings", [[], [reading(0, 300)], [reading(n, None) for n in range(9)]])
def test_without_readings_nothing_is_made_up(readings: list[Measured]) -> None:
    assert energy_kwh(readings) is None


def test_a_reading_that_failed_leaves_a_gap() -> None:
    assert energy_kwh([reading(0, 100), reading(1, None), reading(2, 100), reading(3, 100)]) == pytest.approx(
        100 / 3.6e6
    )
