"""The practice market: a seeded generator of index option markets, playable at any hour."""

from optconsole.brokers.paper.practice.day import PracticeDay
from optconsole.brokers.paper.practice.feed import DEFAULT_RATE, PracticeFeed
from optconsole.brokers.paper.practice.hours import first_moment

__all__ = ["DEFAULT_RATE", "PracticeDay", "PracticeFeed", "first_moment"]
