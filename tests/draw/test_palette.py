"""Twelve colours that everyone can tell apart, and a rule for who gets which."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scissor.draw.palette import PALETTE, SINGLE, TINTS, colour_indices, colour_of

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
SEEN = {
    "all": np.eye(3),
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "tritanope": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
APART = {"all": 0.13, "deuteranope": 0.085, "protanope": 0.085, "tritanope": 0.1}


def oklab(linear: np.ndarray) -> np.ndarray:
    lms = np.cbrt(
        linear
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return lms @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )


def lab_of_palette(matrix) -> np.ndarray:
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in PALETTE])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return oklab(np.clip(linear @ np.array(matrix).T, 0, 1))


@pytest.mark.parametrize("eye", SEEN)
def test_every_pair_of_colours_differs_for_every_eye(eye):
    lab = lab_of_palette(SEEN[eye])
    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2))
    assert least > APART[eye]


@pytest.mark.parametrize("eye", SEEN)
def test_neighbouring_zones_differ_more(eye):
    lab = lab_of_palette(SEEN[eye]).reshape(3, 4, 3)
    for (r, c), (dr, dc) in itertools.product(np.ndindex(3, 4), ((0, 1), (1, -1), (1, 0), (1, 1))):
        if 0 <= r + dr < 3 and 0 <= c + dc < 4:
            assert np.linalg.norm(lab[r, c] - lab[r + dr, c + dc]) > 0.115


groups = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 195), st.integers(1, 400)),
    min_size=1,
    max_size=60,
    unique_by=lambda group: group[:2],
)


@given(groups)
def test_the_twelve_largest_differ_and_singles_have_none(found):
    hub = torch.tensor([group[:2] for group in found])
    size = torch.tensor([group[2] for group in found])
    colour = colour_indices(hub, size, (14, 14))
    strong = colour[colour < len(PALETTE)].tolist()
    assert len(set(strong)) == len(strong) == min(12, int((size > 1).sum()))
    assert ((colour == SINGLE) == (size < 2)).all()
    weakest = min((int(s) for s, c in zip(size, colour, strict=True) if c < 12), default=0)
    tinted = (colour >= len(PALETTE)) & (colour != SINGLE)
    assert all(int(s) <= weakest for s in size[tinted])


@given(groups, st.integers(2, 9))
def test_the_largest_group_keeps_its_colour_whatever_the_others_do(found, drop):
    hub = torch.tensor([group[:2] for group in found])
    size = torch.tensor([group[2] for group in found])
    size[0] = 1000
    few = [0, *range(1, len(found), drop)]
    assert (
        colour_indices(hub, size, (14, 14))[0] == colour_indices(hub[few], size[few], (14, 14))[0]
    )


def test_colours_are_hex_or_nothing():
    assert colour_of(0) == PALETTE[0]
    assert colour_of(len(PALETTE)) == TINTS[0]
    assert colour_of(SINGLE) is None
