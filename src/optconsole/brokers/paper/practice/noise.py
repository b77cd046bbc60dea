"""Random numbers without a generator: a draw is a hash of what it is for, so any of them can be asked for again.

Every function is vectorised over 64-bit words. Source of the mixing step: the finaliser of SplitMix64
(Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Reals = NDArray[np.float64]
Counts = NDArray[np.int64]

_STRIDE: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_TWIN: Final = np.uint64(0xD1B54A32D192ED03)
_UNIT: Final = 2.0**-52


def stream(*parts: object) -> Words:
    """One word (an array of length 1) that names a stream of draws: a seed, a purpose, a day, a contract."""
    text = "\x1f".join(str(part) for part in parts)
    return np.array([int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")], dtype=np.uint64)


def words(key: Words, counter: Counts | Words) -> Words:
    """The draw number ``counter`` of the stream ``key``, both broadcast."""
    z = key + (counter.astype(np.uint64) + np.uint64(1)) * _STRIDE
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    mixed: Words = z ^ (z >> np.uint64(31))
    return mixed


def uniform(word: Words) -> Reals:
    """Open interval (0, 1)."""
    return ((word >> np.uint64(12)).astype(np.float64) + 0.5) * _UNIT


def normal(word: Words) -> Reals:
    """Standard normal, by Box and Muller from the word and its own rehash."""
    angle = uniform(words(word, np.array([0], dtype=np.uint64) ^ _TWIN))
    radius: Reals = np.sqrt(-2.0 * np.log(uniform(word)))
    return radius * np.cos(2.0 * np.pi * angle)


def normals(key: Words, count: int) -> Reals:
    """The first ``count`` normal draws of a stream."""
    return normal(words(key, np.arange(count, dtype=np.int64)))


def uniforms(key: Words, count: int) -> Reals:
    """The first ``count`` uniform draws of a stream."""
    return uniform(words(key, np.arange(count, dtype=np.int64)))
