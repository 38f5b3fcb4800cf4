"""The breaker opens after failures in a row, tries once, and backs off."""

from __future__ import annotations

from include.llm.breaker import FIRST_PAUSE, LONGEST_PAUSE, Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, clock=clock)
    for _ in range(3):
        assert breaker.enter()
        breaker.failed()
    return breaker


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(failures=2)
    for _ in range(5):
        assert breaker.enter()
        breaker.failed()
        assert breaker.enter()
        breaker.succeeded()


def test_one_trial_at_a_time_after_the_pause() -> None:
    clock = Clock()
    breaker = broken(clock)
    assert not breaker.enter()
    clock.now += FIRST_PAUSE
    assert breaker.enter()
    assert not breaker.enter()
    breaker.succeeded()
    assert breaker.enter()
    assert breaker.enter()


def test_a_caller_that_leaves_frees_the_trial() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += FIRST_PAUSE
    assert breaker.enter()
    breaker.left()
    assert breaker.enter()


def test_pauses_double_up_to_a_limit_and_start_over() -> None:
    clock = Clock()
    breaker = broken(clock)
    pause = FIRST_PAUSE
    for _ in range(8):
        clock.now += pause
        assert breaker.enter()
        breaker.failed()
        pause = min(pause * 2, LONGEST_PAUSE)
        clock.now += pause - 0.01
        assert not breaker.enter()
        clock.now -= pause - 0.01
    clock.now += LONGEST_PAUSE
    assert breaker.enter()
    breaker.succeeded()
    for _ in range(3):
        assert breaker.enter()
        breaker.failed()
    clock.now += FIRST_PAUSE
    assert breaker.enter()
