"""A group in sight keeps its colour from one reading of a stream to the next."""

import torch

from scissor.draw.overlay import group_sizes
from scissor.draw.palette import PALETTE, SINGLE, colour_indices
from scissor.draw.steady import steady_colours
from scissor.stream import StreamCompressor
from scissor.types import Compression

GRID = (4, 4)


def reading(groups):
    """A Compression whose groups are these [T, N] ids, hubs at the first token of each."""
    group = torch.tensor(groups)
    k = int(group.max()) + 1
    first = torch.tensor([int((group.flatten() == g).nonzero()[0]) for g in range(k)])
    hub = torch.stack([first // group.shape[1], first % group.shape[1]], 1)
    counts = (group.numel(), k, k)
    return Compression(
        "scc", torch.zeros(k, 2), GRID, group, group, group, hub, torch.zeros(k, 3), counts
    )


def colours(made, before=None):
    return steady_colours(made, group_sizes(made.group, made.kept), before)


def test_the_first_reading_has_the_palettes_own_colours():
    made = reading([[0] * 6 + [1] * 6 + [2, 2, 3, 4]])
    size = group_sizes(made.group, made.kept)
    assert torch.equal(colours(made), colour_indices(made.hub, size, GRID))
    assert colours(made)[3] == SINGLE


def test_colours_follow_the_tokens_when_groups_change_order_and_size():
    first = reading([[0] * 9 + [1] * 7])
    now = colours(first)
    # the frame before, then one in which the second group is by far the larger and comes first
    second = reading([[1] * 9 + [0] * 7, [0] * 15 + [1]])
    later = colours(second, now[first.group])
    assert later[1] == now[0]
    assert later[0] == now[1]


def test_a_newcomer_takes_nobodys_colour():
    first = reading([[0] * 8 + [1] * 8])
    now = colours(first)
    second = reading([[1] * 8 + [2] * 8, [0] * 16])  # 0 is new, largest and starts in 1's zone
    later = colours(second, now[first.group])
    assert later[1:].tolist() == now.tolist()
    assert later[0] not in now.tolist()
    assert later[0] < len(PALETTE)


def test_the_largest_groups_of_a_stream_differ_and_mostly_stay():
    g = torch.Generator().manual_seed(3)
    scene = torch.randn(6, 12, generator=g)[torch.arange(16) % 6]
    stream, before, stayed, seen = StreamCompressor(0.7, 500, 4, GRID), None, 0, 0
    for _ in range(12):
        stream.push(scene + 0.25 * torch.randn(16, 12, generator=g))
        made = stream.read(merge=False)
        now = colours(made, before)
        large = now[now < len(PALETTE)].tolist()
        assert len(large) == len(set(large))
        now = now[made.group]
        if before is not None:
            frames = len(now) - 1
            both = (before[-frames:] < len(PALETTE)) & (now[:frames] < len(PALETTE))
            stayed += int((before[-frames:] == now[:frames])[both].sum())
            seen += int(both.sum())
        before = now
    assert stayed > 0.95 * seen > 0
