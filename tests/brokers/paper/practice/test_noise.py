from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from optconsole.brokers.paper.practice.noise import normal, normals, stream, uniform, uniforms, words


@settings(deadline=None)
@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
def test_a_draw_depends_on_its_counter_alone_not_on_the_draws_around_it(seed: int, counters: list[int]) -> None:
    key = stream(seed, "test")
    together = words(key, np.array(counters))
    alone = [int(words(key, np.array([counter]))[0]) for counter in counters]
    assert together.tolist() == alone


def test_streams_are_told_apart_by_every_part_of_their_name() -> None:
    names = [("a", "bc"), ("ab", "c"), ("abc",), (1, "abc"), ("1", "ab", "c")]
    assert len({int(stream(*parts)[0]) for parts in names}) == len(names)


def test_uniform_draws_fill_the_open_unit_interval_evenly() -> None:
    draws = uniforms(stream(1, "even"), 100_000)
    assert 0.0 < draws.min() < 0.001
    assert 0.999 < draws.max() < 1.0
    shares, _ = np.histogram(draws, bins=20, range=(0.0, 1.0))
    assert np.abs(shares / 5_000.0 - 1.0).max() < 0.06


def test_the_ends_of_the_word_range_stay_inside_the_interval() -> None:
    ends = uniform(np.array([0, 2**64 - 1], dtype=np.uint64))
    assert ends[0] > 0.0
    assert ends[1] < 1.0
    assert np.isfinite(normal(np.array([0, 2**64 - 1], dtype=np.uint64))).all()


def test_normal_draws_have_the_moments_of_the_normal_law() -> None:
    draws = normals(stream(2, "bell"), 200_000)
    assert abs(draws.mean()) < 0.01
    assert abs(draws.std() - 1.0) < 0.01
    assert abs((draws**4).mean() - 3.0) < 0.1
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.01
