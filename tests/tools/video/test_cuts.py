"""The cut detector on pictures made to order; the benchmark has it on films."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from consilience.tools.video.cuts import HEIGHT, WIDTH, Boundary, CutDetector
from hypothesis import given, settings
from hypothesis import strategies as st

RATE = 25


def scene(seed: int) -> np.ndarray:
    """A picture of blocks, unlike that of any other seed."""
    random = np.random.default_rng(seed)
    return np.kron(random.uniform(0, 1, (9, 16, 3)), np.ones((4, 4, 1))).astype(np.float32)


def boundaries(pictures: Iterable[np.ndarray], rate: float = RATE) -> list[Boundary]:
    detector = CutDetector()
    for i, picture in enumerate(pictures):
        detector.push(i / rate, picture)
    return detector.finish()


def mixture(old: np.ndarray, new: np.ndarray, count: int) -> list[np.ndarray]:
    return [old + (new - old) * np.float32((i + 1) / (count + 1)) for i in range(count)]


@settings(max_examples=40)
@given(
    st.lists(st.integers(15, 40), min_size=1, max_size=6), st.integers(0, 10**6), st.sampled_from([1.0, 10.0, 25.0, 30])
)
def test_hard_cuts_are_found_to_the_picture(lengths: list[int], seed: int, rate: float) -> None:
    takes = [[scene(seed + i)] * length for i, length in enumerate(lengths)]
    found = boundaries((picture for take in takes for picture in take), rate)
    starts = np.cumsum(lengths)[:-1] / rate
    assert [b.at for b in found] == pytest.approx(list(starts))
    assert not any(b.gradual for b in found)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(8, 24))
def test_a_dissolve_is_one_boundary_within_it(seed: int, length: int) -> None:
    old, new = scene(seed), scene(seed + 1)
    (found,) = boundaries([*[old] * 40, *mixture(old, new, length), *[new] * 40])
    assert found.gradual
    assert 40 / RATE <= found.at <= (40 + length) / RATE


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(6, 14))
def test_a_fade_through_black_is_one_boundary(seed: int, length: int) -> None:
    old, new, black = scene(seed), scene(seed + 1), np.zeros((HEIGHT, WIDTH, 3), np.float32)
    fade = [*mixture(old, black, length), black, *mixture(black, new, length)]
    (found,) = boundaries([*[old] * 40, *fade, *[new] * 40])
    assert 40 / RATE <= found.at <= (40 + len(fade)) / RATE


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_flashes_are_no_cuts(seed: int, length: int) -> None:
    there, flash = scene(seed), np.ones((HEIGHT, WIDTH, 3), np.float32)
    assert boundaries([*[there] * 30, *[flash] * length, *[there] * 30]) == []


def test_who_passes_before_the_camera_ends_no_shot() -> None:
    pictures = [scene(1).copy() for _ in range(80)]
    for i in range(10):
        pictures[35 + i][:, max(0, (i - 4) * 10) : (i + 1) * 10] = 0.1
    assert boundaries(pictures) == []


def test_light_that_goes_on_ends_no_shot() -> None:
    there = scene(3)
    assert boundaries([*[there * np.float32(0.3)] * 30, *[there] * 30]) == []
    assert (
        boundaries([*[there * np.float32(0.3)] * 30, *mixture(there * np.float32(0.3), there, 16), *[there] * 30]) == []
    )


def test_a_pan_is_no_cut() -> None:
    wide = np.concatenate([scene(5), scene(6), scene(7)], axis=1)
    assert boundaries([wide[:, 2 * i : 2 * i + WIDTH] for i in range(60)]) == []


@pytest.mark.parametrize("count", [0, 1, 2, 13, 30])
def test_few_pictures_are_taken(count: int) -> None:
    assert boundaries([scene(1)] * count) == []
