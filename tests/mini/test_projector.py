"""Reader and place embedding: two ways in, attention received, places after compression."""

from dataclasses import replace

import pytest
import torch
from tinymini import tiny_config

from scissor.mini.projector import Block, PlaceEmbedding, Reader
from scissor.mini.tower import Seen
from scissor.types import cell_places


@pytest.fixture(scope="module")
def config():
    return tiny_config()


@pytest.fixture(scope="module")
def reader(config):
    torch.manual_seed(0)
    return Reader(config).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def seen(config):
    torch.manual_seed(1)
    share = torch.rand(3, 16, config.evidence).softmax(-1) * 0.7
    return Seen(
        torch.randn(3, 16, config.features),
        torch.randint(0, config.classes, (3, 16, config.evidence)),
        share,
    )


@pytest.fixture(scope="module")
def names(config):
    return torch.randn(config.classes, config.width, generator=torch.manual_seed(2))


def test_received_attention_is_that_of_the_definition():
    torch.manual_seed(0)
    block, x = Block(8, 2, 3), torch.randn(2, 5, 8)
    query, key, _ = block.qkv(block.norm1(x)).split(8, -1)
    want = torch.zeros(2, 5)
    for b in range(2):
        for head in (slice(0, 4), slice(4, 8)):
            scores = query[b, :, head] @ key[b, :, head].T / 2
            want[b] += scores.softmax(-1).sum(0) / (2 * 5)
    torch.testing.assert_close(block.received(x), want)


def test_attention_changes_no_token(reader, seen, names):
    tokens, received = reader.with_attention(seen, names)
    assert torch.equal(tokens, reader(seen, names))
    torch.testing.assert_close(received.sum(1), torch.ones(3))


def test_the_second_way_in_is_the_weighted_mean_of_names(reader, seen, names):
    said = reader(seen, names) - reader(seen, torch.zeros_like(names))
    want = torch.zeros_like(said)
    for b in range(3):
        for n in range(16):
            for k in range(seen.classes.shape[-1]):
                want[b, n] += 0.5 * seen.probabilities[b, n, k] * names[seen.classes[b, n, k]]
    torch.testing.assert_close(said, want, atol=1e-5, rtol=1e-4)


def test_cells_hear_what_like_cells_say(config, seen, names):
    torch.manual_seed(0)
    reader = Reader(replace(config, gather=4)).eval().requires_grad_(False)
    with_names, without = (reader(seen, table) for table in (names, torch.zeros_like(names)))
    x = reader._enter(seen)
    for block in reader.blocks:
        x = block(x)
    query, key = reader.gather(reader.leave(x)).split(4, -1)
    torch.testing.assert_close(query, key)
    heard = (query @ key.transpose(1, 2) / 2).softmax(-1)
    told = seen.probabilities[..., None] * names[seen.classes]
    said = 0.5 * told.sum(-2)
    want = said + 0.5 * torch.stack([heard[b] @ said[b] for b in range(3)])
    torch.testing.assert_close(with_names - without, want, atol=1e-5, rtol=1e-4)


def test_drawn_names_have_a_weight_of_their_own(config):
    torch.manual_seed(0)
    config = replace(config, drawn=5)
    reader, few = Reader(config).requires_grad_(False), config.evidence
    classes = torch.randint(0, config.rows - 1, (2, 16, 2 * few))
    seen = Seen(torch.randn(2, 16, config.features), classes, torch.rand(2, 16, 2 * few))
    names = torch.randn(config.rows - 1, config.width)
    untold = seen.probabilities.clone()
    untold[..., few:] = 0
    without = seen._replace(probabilities=untold)
    reader.drawn_scale.fill_(2.0)
    told = seen.probabilities[..., few:, None] * names[classes[..., few:]]
    want = reader(without, names) + 2 * told.sum(-2)
    torch.testing.assert_close(reader(seen, names), want)


def test_a_frame_is_read_alone(reader, seen, names):
    together = reader(seen, names)
    turned = reader(Seen(*(part.flip(0) for part in seen)), names)
    torch.testing.assert_close(turned.flip(0), together)


@pytest.fixture(scope="module")
def place(config):
    torch.manual_seed(3)
    return PlaceEmbedding(config).requires_grad_(False)


def test_every_cell_of_a_clip_has_a_place_of_its_own(place, config):
    waves = place.waves(cell_places(config.max_frames, config.grid), config.max_frames)
    apart = torch.cdist(waves, waves) + torch.eye(len(waves)) * 9
    assert apart.min() > 0.05


def test_mixed_lengths_in_a_batch(place):
    places = torch.rand(3, 4, 3) * 2
    lengths = torch.tensor([3, 5, 8])
    together = place(places, lengths[:, None])
    for i, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(together[i], place(places[i], length))


def test_one_frame_has_a_finite_place(place):
    assert place(cell_places(1, (4, 4)), 1).isfinite().all()


def test_a_merged_tokens_place_may_lie_between_cells(place):
    between = place(torch.tensor([[0.5, 1.25, 2.0]]), 4)
    assert between.isfinite().all()
    assert not torch.equal(between, place(torch.tensor([[0.0, 1.0, 2.0]]), 4))
