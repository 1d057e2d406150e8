"""Overlays as pixels: the right cells in the right colours; films that can be read again."""

import builtins

import cv2
import numpy as np
import pytest
import torch

from scissor.draw.film import captioned, cell_light, even, painted, thickness, write_film
from scissor.draw.overlay import View
from scissor.draw.palette import SINGLE, colour_of

GRID = (3, 4)


@pytest.fixture
def shown():
    """Frame 0: the left half is group 0, then a tint; token 11 is single, token 3 dropped."""
    ids = torch.tensor([[0, 0, 1, -1, 0, 0, 1, 1, 0, 0, 1, 2]])
    size = torch.tensor([6, 4, 1])
    colour = torch.tensor([5, 13, SINGLE], dtype=torch.uint8)
    return View(
        "groups", ids, torch.zeros(3, 2, dtype=torch.int64), size, colour, torch.ones(1, 12)
    )


def centre(frame, token):
    height, width = frame.shape[:2]
    y = (token // GRID[1] + 0.5) * height / GRID[0]
    x = (token % GRID[1] + 0.5) * width / GRID[1]
    return frame[int(y), int(x)].astype(int)


def rgb(index):
    return np.array(list(bytes.fromhex(colour_of(index)[1:])))


def test_cells_take_their_groups_colour_and_only_those(shown):
    frame = np.full((90, 161, 3), 200, np.uint8)
    out = painted(frame, shown, 0, GRID, opacity=1)
    assert out.shape == frame.shape
    assert (centre(out, 6) == rgb(13)).all()
    assert (centre(out, 11) == 200).all()
    assert (centre(out, 3) == 200).all()
    giant = 0.6 * rgb(5) + 0.4 * 200  # six of twelve tokens: let what it covers be seen
    assert np.abs(centre(out, 4) - giant).max() <= 1
    assert (out[0, 0] == rgb(5)).all()  # its border is opaque
    half = painted(frame, shown, 0, GRID, opacity=0.5)
    assert np.abs(centre(half, 6) - 200).sum() < np.abs(centre(out, 6) - 200).sum()


def test_the_cells_of_odd_sizes_tile_the_frame(shown):
    ids = torch.arange(12)[None]
    each = View(
        "groups", ids, torch.zeros(12, 2), torch.full((12,), 2), torch.arange(12).byte(), ids
    )
    out = painted(np.zeros((31, 47, 3), np.uint8), each, 0, GRID, opacity=1)
    for token in range(12):
        assert (centre(out, token) == rgb(token)).all()


def test_moved_tokens_are_hatched_and_no_others(shown):
    frame = np.full((90, 160, 3), 200, np.uint8)
    moved = torch.zeros(1, 12, dtype=torch.bool)
    moved[0, 6] = True
    plain, hatched = (painted(frame, shown, 0, GRID, moved=m) for m in (None, moved))
    changed = np.argwhere((plain != hatched).any(-1))
    assert len(changed) > 50
    assert (changed[:, 0] // 30 == 1).all()
    assert (changed[:, 1] // 40 == 2).all()


def test_dark_cells_are_painted_thicker():
    frame = np.zeros((60, 80, 3), np.uint8)
    frame[:, 40:] = 255
    light = cell_light(frame, GRID)
    assert light.reshape(GRID)[:, 0] == pytest.approx(0)
    assert light.reshape(GRID)[:, 3] == pytest.approx(1)
    thick = thickness(light, 0.5).reshape(GRID)
    assert (thick[:, 0] > thick[:, 3]).all()
    assert thick.max() <= 1
    assert (thickness(light, 0) == 0).all()


@pytest.mark.parametrize("encoder", ["installed", "opencv"])
def test_a_film_holds_its_frames(tmp_path, monkeypatch, encoder):
    if encoder == "opencv":
        real = builtins.__import__

        def without(name, *rest):
            if name == "av":
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
    frames = [captioned(np.full((91, 161, 3), 40 * k, np.uint8), "§ 1,204 · 10%") for k in range(5)]
    assert frames[0].shape[0] > 91
    path = write_film(tmp_path, "film", map(even, frames), 4)
    assert path.suffix == (".webm" if encoder == "opencv" else path.suffix)
    film = cv2.VideoCapture(str(path))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(4)
    for k in range(5):
        found, frame = film.read()
        assert found
        assert frame.shape == even(frames[k]).shape
        assert abs(float(frame[:80].mean()) - 40 * k) < 6
    assert not film.read()[0]
