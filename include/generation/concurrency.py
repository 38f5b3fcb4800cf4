"""How many calls at a time an endpoint gets: as few as give (nearly) its most tokens a second.

Two signals move the level. *Throughput*: by Little's law it is the calls in flight times the work
that a call gets done a second, which needs no clock-aligned windows and so has no error from
replies that come in bursts. The level doubles while that pays (slow start), then climbs and
descends in small steps with hysteresis. *Overload* (refused for load, timed out): the level falls
in proportion to the share of calls that met it, as DCTCP does (Alizadeh et al., SIGCOMM 2010), so
one stray 503 costs little and a wall of them halves it.

Latency alone is no signal: a server that batches gets slower and yet does more with every call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_DOUBLING_PAYS = 1.2
_ANY_GAIN = 1.05
_UP_PAYS = 1.03
_DOWN_COSTS_NOTHING = 0.975
_STEP_UP = 1.4
_STEP_HARMFUL = 1.2
"""Upwards, after a level that was worse: the way up is tried with more care."""
_STEP_DOWN = 1.25
_FEWEST_SAMPLES = 12
_HARMFUL_HOLD = 3
_LONGEST_HOLD = 32
_IDLE = 0.75
"""Below this share of the level in flight, the input or the reader of the results is the limit."""
_STRAY = 0.125
"""A smaller share of calls that meet overload is no reason for fewer of them: their places stay
empty while they wait, and the throughput shows whether the level is worth having."""
_MEMORY = 1 / 32


class Occupancy:
    """How many calls are in flight, on average over the life of each."""

    def __init__(self) -> None:
        self._now, self._count, self._area = 0.0, 0, 0.0

    def enter(self, now: float) -> float:
        """Count a call in; give what is returned to :meth:`leave`."""
        self._move(now)
        self._count += 1
        return self._area

    def leave(self, now: float, began: float, mark: float) -> float:
        """Count a call out, and return how many were in flight while it was, itself included.

        Args:
            now: a clock in seconds.
            began: what it showed when the call came in.
            mark: what :meth:`enter` gave.
        """
        self._move(now)
        mean = (self._area - mark) / (now - began) if now > began else float(self._count)
        self._count -= 1
        return mean

    def _move(self, now: float) -> None:
        self._area += self._count * (now - self._now)
        self._now = now


@dataclass(slots=True)
class _Window:
    """Calls that began at the present level, after the first of them settled it."""

    settling: int
    needed: int
    count: int = 0
    in_flight: float = 0.0
    work: float = 0.0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Work a second, by Little's law."""
        return self.in_flight / self.count * self.work / max(self.seconds, 1e-9)


class Concurrency:
    """The level, and what moves it. Not for threads.

    Args:
        start: first level.
        least: no level is below it.
        most: and none above; equal to ``least``, the level is fixed.
    """

    def __init__(self, start: int, least: int, most: int) -> None:
        self.level = start
        self._least, self._most = least, most
        self._epoch = 0
        self._doubling = True
        self._probing = False
        self._upwards = True
        self._step = _STEP_UP
        self._base = start
        self._rate: float | None = None
        self._best = 0.0
        self._hold = self._held = 0
        self._overloads = 0.0
        self._cut_epoch, self._cut_from = -1, start
        self._window = self._fresh()

    def begun(self) -> int:
        """Note that a call is sent; give what is returned to the other two."""
        return self._epoch

    def finished(self, epoch: int, seconds: float, work: float, in_flight: float) -> None:
        """Note a reply.

        Args:
            epoch: what :meth:`begun` gave.
            seconds: from sending to the whole reply.
            work: tokens, in any unit that stays the same.
            in_flight: calls, this one included, on average over its life.
        """
        self._overloads *= 1 - _MEMORY
        window = self._window
        if epoch != self._epoch:
            return
        if window.settling > 0:
            window.settling -= 1
            return
        window.count += 1
        window.in_flight += in_flight
        window.work += work
        window.seconds += seconds
        if window.count < window.needed:
            return
        if window.in_flight < _IDLE * self.level * window.count:
            self._window = self._fresh()
        elif self._least < self._most:
            self._decide(window.rate)

    def overloaded(self, epoch: int) -> None:
        """Note that a call was turned away for load, or took too long."""
        self._overloads += _MEMORY * (1 - self._overloads)
        if self._overloads < _STRAY:
            return
        if epoch > self._cut_epoch:
            # The first since the last cut; what was sent before now meets the same overload.
            self._cut_epoch, self._cut_from = self._epoch, self.level
        share = math.floor(self._cut_from * (1 - self._overloads / 2))
        level = max(min(share, self._cut_from - 1), self._least)
        if level < self.level:
            self._doubling = False
            self._restart(level)

    def _restart(self, level: int) -> None:
        self._probing, self._upwards, self._step = False, True, _STEP_UP
        self._hold = self._held = 0
        self._base, self._best = level, 0.0
        self._rate = None
        self._go(level)

    def _go(self, level: int) -> None:
        self.level = max(self._least, min(level, self._most))
        self._epoch += 1
        self._window = self._fresh()

    def _fresh(self) -> _Window:
        if self._doubling:
            return _Window(0, max(4, self.level // 2))
        return _Window(self.level, max(self.level, _FEWEST_SAMPLES))

    def _decide(self, rate: float) -> None:
        if self._doubling:
            self._double(rate)
        elif self._probing:
            self._judge(rate)
        else:
            self._stay(rate)

    def _double(self, rate: float) -> None:
        before = self._rate or 0.0
        pays = rate >= _DOUBLING_PAYS * before
        if rate >= _ANY_GAIN * before:
            self._accept(rate)
        if pays and self.level < self._most:
            self._go(self.level * 2)
            return
        if rate < _DOWN_COSTS_NOTHING * before:
            self._step, self._hold = _STEP_HARMFUL, 1
        self._doubling = False
        self._rate = None  # taken while the level rose; measured again where it settles
        self._best = 0.0
        self._go(self._base)

    def _accept(self, rate: float) -> None:
        self._base, self._rate = self.level, rate
        self._best = max(self._best, rate)

    def _stay(self, rate: float) -> None:
        self._rate = rate if self._rate is None else (self._rate + rate) / 2
        self._best = max(self._rate, self._best * _DOWN_COSTS_NOTHING)
        self._held += 1
        if self._held > self._hold:
            self._probe()
        else:
            self._window = self._fresh()

    def _probe(self) -> None:
        self._held = 0
        if self._base >= self._most:
            self._upwards = False
        elif self._base <= self._least:
            self._upwards = True
        if self._upwards:
            target = max(self._base + 1, round(self._base * self._step))
        else:
            target = min(self._base - 1, round(self._base / _STEP_DOWN))
        self._probing = True
        self._go(target)

    def _judge(self, rate: float) -> None:
        """Keep the level that was tried, or go back to where it came from and wait longer."""
        base = self._rate or 0.0
        wins = (
            rate >= _UP_PAYS * base if self._upwards else rate >= _DOWN_COSTS_NOTHING * self._best
        )
        if wins:
            self._accept(rate)
            self._hold = 0
            if self._upwards:
                self._step = 2.0
            if self._least < self.level < self._most:
                self._probe()
                return
            self._probing = False
            self._window = self._fresh()
            return
        harmful = rate < _DOWN_COSTS_NOTHING * base
        self._probing, self._step = False, _STEP_HARMFUL if self._upwards and harmful else _STEP_UP
        self._upwards = not self._upwards
        self._hold = min(max(self._hold * 2, _HARMFUL_HOLD if harmful else 1), _LONGEST_HOLD)
        self._go(self._base)
