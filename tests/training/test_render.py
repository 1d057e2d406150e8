"""The GPU's painter draws what the exact renderer draws."""

import numpy as np
import pytest
import torch

from scissor.scenes.dice import Dice
from scissor.scenes.render import SIDE, render
from scissor.scenes.scene import MOST_ACTORS, sample_scene
from scissor.training.data import arrays
from scissor.training.render import GHOST, Atlas, draw, unpack
from scissor.training.shots import Shot

STEPS, GRID, SMALL = 2, 14, 112
SAME = torch.tensor([1.0, 1, 1, 0, 0, 0])


@pytest.fixture(scope="module")
def atlas(album):
    return Atlas.make(album.pictures, album.backgrounds)


def sampled(album, seed, plain=False, actors=3, late=None):
    rng = Dice(77, seed)
    scene = sample_scene(rng, album.library, actors=actors, plain=plain, late=late)
    return scene, neutral(rng, album, Shot(scene, (-1,) * actors))


def neutral(rng, album, shot, length=STEPS):
    """A batch of one clip without what training adds: light, gain, grain, mirroring."""
    rows = arrays(rng, album, shot, length)
    batch = {name: torch.as_tensor(value)[None] for name, value in rows.items()}
    batch["light"], batch["noise"] = SAME[None], torch.zeros(1)
    batch["gain"] = SAME.expand(1, MOST_ACTORS, 6)
    batch["flip"] = torch.zeros(1, MOST_ACTORS, dtype=torch.bool)
    batch["mix"] = torch.eye(3).expand(1, MOST_ACTORS, 3, 3)
    batch["turn"] = torch.tensor([0.0, 1, 1]).expand(1, MOST_ACTORS, 3)
    return batch


@pytest.mark.parametrize("plain", [False, True])
def test_it_paints_the_exact_renderers_pixels(album, atlas, plain):
    scene, batch = sampled(album, 1, plain, late=True)
    frames, _ = draw(atlas, batch, SIDE, GRID)
    exact = render(scene, album.library, STEPS)
    assert frames.shape == (1, *exact.shape)
    difference = np.abs(frames[0].numpy().astype(int) - exact)
    assert difference.mean() < (0.4 if plain else 1.5)
    assert np.median(difference) <= (0 if plain else 1)
    moved = np.abs(np.roll(exact, 3, 2).astype(int) - exact).mean()
    assert difference.mean() < moved / 4  # far less than three pixels beside it


def test_cells_show_what_stands_there(album, atlas):
    scene, batch = sampled(album, 2, late=True)
    _, cover = draw(atlas, batch, SIDE, GRID)
    assert cover.shape == (1, STEPS, GRID**2, MOST_ACTORS + 1)
    torch.testing.assert_close(cover.sum(-1), torch.ones(1, STEPS, GRID**2))
    assert (cover[..., len(scene.actors) : MOST_ACTORS] == 0).all()
    edges = torch.arange(GRID + 1) / GRID
    for a, actor in enumerate(scene.actors):
        for k in range(STEPS):
            mine, box = cover[0, k, :, a].view(GRID, GRID), actor.box(k / (STEPS - 1))
            if box is None:
                assert mine.max() == 0
                continue
            rows = (edges[1:] > box[1] - 0.005) & (edges[:-1] < box[3] + 0.005)
            cols = (edges[1:] > box[0] - 0.005) & (edges[:-1] < box[2] + 0.005)
            assert mine[~rows].sum() == mine[:, ~cols].sum() == 0
            assert mine.sum() > 0.2 * actor.size[0] * actor.size[1] * GRID**2


def test_the_cells_of_one_actor_have_its_area(album, atlas):
    scene, batch = sampled(album, 3, actors=1)
    _, cover = draw(atlas, batch, SMALL, GRID)
    (actor,) = scene.actors
    fill = album.library.pictures[actor.picture].fill
    want = fill * actor.size[0] * actor.size[1] * GRID**2
    assert cover[0, 0, :, 0].sum() == pytest.approx(want, rel=0.15)


def test_a_small_frame_shows_the_same_scene(album, atlas):
    _, batch = sampled(album, 4)
    _, large = draw(atlas, batch, SIDE, GRID)
    _, small = draw(atlas, batch, SMALL, GRID)
    assert (large - small).abs().mean() < 0.01


def test_training_changes_light_and_mirrors(album, atlas):
    _, batch = sampled(album, 5, actors=1)
    plain, cover = draw(atlas, batch, SMALL, GRID)
    lit, _ = draw(atlas, batch | {"light": SAME[None] * 0.5}, SMALL, GRID)
    assert (lit.float() - plain.float() / 2).abs().max() <= 0.5
    turned = batch | {"flip": ~batch["flip"]}
    mirrored, other = draw(atlas, turned, SMALL, GRID)
    assert not torch.equal(mirrored, plain)
    torch.testing.assert_close(other.sum(2), cover.sum(2), rtol=0.02, atol=0.5)


def test_a_worn_texture_keeps_the_outline(album, atlas):
    _, batch = sampled(album, 6, actors=1)
    plain, cover = draw(atlas, batch, SMALL, GRID)
    cloth = batch["cloth"].clone()
    cloth[0, 0] = 1
    worn, same = draw(atlas, batch | {"cloth": cloth}, SMALL, GRID)
    assert torch.equal(cover, same)
    away = (plain != worn).any(-1)[0].float()
    inside = torch.nn.functional.avg_pool2d(away, SMALL // GRID).flatten(1) > 0
    assert not inside[cover[0, ..., 0] == 0].any()
    assert inside[cover[0, ..., 0] > 0.5].any()


def test_the_atlas_keeps_every_byte(album, atlas):
    backs = unpack(atlas.backs).view(*album.backgrounds.shape[:3], 4)
    assert torch.equal(backs[..., :3], album.backgrounds.float())
    assert (backs[..., 3] == 255).all()
    large = unpack(atlas.pictures[: atlas.halves]).view(album.pictures.shape)
    assert torch.equal(large[..., 3], album.pictures[..., 3].float())
    small = unpack(atlas.pictures[atlas.halves :]).view(len(album.pictures), 64, 64, 4)
    assert (small.mean((1, 2)) - large.mean((1, 2))).abs().max() < 0.6


def test_a_ghost_is_told_and_not_seen(album, atlas):
    _, batch = sampled(album, 5, actors=1)
    bare = batch | {"picture": torch.full((1, MOST_ACTORS), -1)}
    haunted = bare | {"picture": torch.tensor([[GHOST, -1, -1, -1]])}
    (frames, empty), (same, cover) = (draw(atlas, b, SMALL, GRID) for b in (bare, haunted))
    assert torch.equal(frames, same)
    assert empty[..., :MOST_ACTORS].max() == 0
    assert cover[..., 0].max() == 1


def test_turning_keeps_a_drawing_in_its_box_and_greyness_takes_its_colours(album, atlas):
    _, batch = sampled(album, 6, plain="black", actors=1)
    batch["plain"] = torch.zeros(1, 3)
    grey = torch.full((3, 3), 1 / 3).expand(1, MOST_ACTORS, 3, 3)
    turned = batch | {"mix": grey, "turn": torch.tensor([0.35, 1.2, 1.0]).expand(1, MOST_ACTORS, 3)}
    (plain, full), (frames, cover) = (draw(atlas, b, SMALL, GRID) for b in (batch, turned))
    assert not torch.equal(plain, frames)
    spread = frames.float().amax(-1) - frames.float().amin(-1)
    assert spread.max() <= 1
    assert 0.3 * full[..., 0].sum() < cover[..., 0].sum() < full[..., 0].sum()
    assert cover[..., 0].max() == 1
