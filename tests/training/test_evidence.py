"""What the evidence is made to say: where, of what, and what it leaves alone."""

import torch
from tinymini import tiny_config

from scissor.mini.tower import Seen
from scissor.training import evidence


def worn() -> torch.Tensor:
    """Cover of one clip of two frames and four cells, of two actors."""
    cover = torch.zeros(1, 2, 4, 3)
    cover[..., 2] = 1
    cover[0, 0, 1] = torch.tensor([0.8, 0.2, 0.0])  # the first actor, who wears class 7
    cover[0, 1, 2] = torch.tensor([0.1, 0.9, 0.0])  # the second, who is drawn as it is
    return cover


def changed(told: Seen, before: Seen) -> torch.Tensor:
    return (told.classes != before.classes) | (told.probabilities != before.probabilities)


def test_evidence_is_told_where_the_texture_is_worn():
    classes = torch.arange(3).expand(2, 4, 3).contiguous()
    before = Seen(torch.randn(2, 4, 6), classes, torch.tensor([0.5, 0.3, 0.1]).expand(2, 4, 3))
    forced, made = torch.tensor([[7, -1]]), torch.tensor([False])
    told = evidence.force_evidence(before, forced, worn(), made, tiny_config(drawn=0))
    assert told.classes[0, 1, 0] == 7
    assert changed(told, before).any(-1).nonzero().tolist() == [[0, 1]]
    assert told.probabilities.sum(-1).max() <= 1.1
    assert torch.equal(told.features, before.features)


def test_in_half_of_the_natural_pictures_a_drawn_name_stands_against_it():
    torch.manual_seed(0)
    config, many = tiny_config(drawn=10, classes=10, evidence=2), 400
    before = seen(many, 2)
    forced = torch.tensor([[7, -1]]).expand(many, 2)
    cover = worn().expand(many, -1, -1, -1)
    for natural in (False, True):
        clips = torch.full((many,), natural)
        told = evidence.force_evidence(before, forced, cover, clips, config)
        assert (told.classes.view(many, 2, 4, 5)[:, 0, 1, 0] == 7).all()
        others = changed(told, before).view(many, 2, 4, 5)
        others[:, 0, 1] = False
        assert not others.any()
        weak, strong = (x.probabilities.view(many, 2, 4, 5)[:, 0, 1, 2] for x in (before, told))
        misled = strong != 0.3 * weak
        assert abs(misled.float().mean() - 0.5 * natural) < 0.1
        named = told.classes.view(many, 2, 4, 5)[misled, 0, 1, 2]
        assert ((named >= 10) & (named < 20)).all()
        assert len(named.unique()) == 10 * natural


def seen(clips: int, steps: int) -> Seen:
    """Four cells, two of ImageNet's classes (0 to 9) and three drawn names (10 to 19)."""
    many = clips * steps
    classes = torch.stack([torch.randperm(10)[:2] for _ in range(many * 4)])
    names = torch.stack([10 + torch.randperm(10)[:3] for _ in range(many * 4)])
    sure = torch.rand(many, 4, 5).sort(-1, descending=True).values / 5
    return Seen(torch.randn(many, 4, 6), torch.cat([classes, names], 1).view(many, 4, 5), sure)


def test_names_change_places_in_their_clip_alone():
    torch.manual_seed(0)
    before = seen(2, 3)
    said = torch.tensor([[[11, 15, 19], [12, 11, 19]], [[-1, -1, -1], [13, 13, 19]]])
    after = evidence.rename(before, said, torch.zeros(2, 2), torch.ones(2, 3, 4, 3))
    want = {11: 15, 15: 12, 12: 11}
    mapped = before.classes.clone().apply_(lambda c: want.get(c, c))
    assert torch.equal(after.classes[:3], mapped[:3])
    assert torch.equal(after.classes[3:], before.classes[3:])
    assert torch.equal(after.probabilities, before.probabilities)


def test_doubt_is_of_that_name_alone():
    torch.manual_seed(0)
    before = seen(50, 40)
    said = torch.tensor([[[11, 11, 19]]]).expand(50, 1, 3)
    after = evidence.rename(before, said, torch.full((50, 1), 0.4), torch.ones(50, 40, 4, 2))
    had = (before.classes == 11).any(-1) & ~(before.classes == 19).any(-1)
    lost = had & (after.classes == 19).any(-1)
    assert 0.3 < lost.sum() / had.sum() < 0.5  # by lot 2 * 0.4**2, on one side two of four cells
    other = (before.classes != 11) & (before.classes != 19)
    assert torch.equal(after.classes[other], before.classes[other])


def test_cells_by_lot_are_as_many_as_told():
    torch.manual_seed(0)
    lost = evidence.here_and_there(torch.ones(1, 400, 25), torch.full((1, 1, 1), 0.4))
    assert abs(lost.float().mean() - 2 * 0.4**2) < 0.03


def test_one_side_is_the_same_in_all_frames_wherever_the_thing_goes():
    torch.manual_seed(0)
    there = torch.zeros(200, 2, 12, 12)
    there[:, 0, 1:7, 2:8], there[:, 1, 5:11, 4:10] = 1, 1
    lost = evidence.on_one_side(there.flatten(2), torch.full((200, 1, 1), 0.3)).view_as(there)
    first, second = lost[:, 0, 1:7, 2:8], lost[:, 1, 5:11, 4:10]
    assert torch.equal(first, second)
    assert abs(first.float().mean() - 0.3) < 0.05
    middle = torch.arange(6) - 2.5
    for part in first[first.flatten(1).any(1)]:  # it lies beside the middle, and holds together
        down, across = (part.float().sum(d) @ middle / part.sum() for d in (1, 0))
        assert (down**2 + across**2) ** 0.5 > 1


def test_softened_names_keep_their_order_and_their_sum():
    torch.manual_seed(0)
    before = seen(4, 2)
    after = evidence.soften(before, 2, 4)
    assert torch.equal(after.probabilities[..., :2], before.probabilities[..., :2])
    old, new = before.probabilities[..., 2:], after.probabilities[..., 2:]
    torch.testing.assert_close(old.sum(-1), new.sum(-1))
    assert (new.diff(dim=-1) <= 1e-6).all()
    assert (new[..., 0] <= old[..., 0] + 1e-6).all()
    assert not torch.equal(old, new)


def test_a_thing_is_what_most_of_its_cells_say():
    config = tiny_config(drawn=10, classes=10, evidence=1)
    said = torch.tensor([[[11, 15, 19], [12, 12, 19], [13, 13, 19], [-1, -1, -1]]])
    cover = torch.zeros(1, 1, 9, 5)
    cover[..., -1] = 1
    for a, cells in enumerate(([0, 1, 2], [3, 4, 5], [6, 7])):
        cover[0, 0, cells, -1], cover[0, 0, cells, a] = 0, 1
    names = torch.tensor([[[14], [14], [11], [12], [17], [17], [12], [12], [18]]])
    sure = torch.tensor([[[0.4], [0.4], [0.7], [0.9], [0.3], [0.3], [0.5], [0.5], [1.0]]])
    both = torch.cat([torch.zeros_like(names), names], -1), torch.cat([0 * sure, sure], -1)
    told = evidence.voted(Seen(torch.randn(1, 9, 6), *both), cover, said, config)
    assert told[0, 0].tolist() == [14, 15, 19]  # two unsure cells before one sure one
    assert told[0, 1].tolist() == [12, 12, 19]  # one sure cell before two unsure ones
    assert told[0, 2].tolist() == [13, 13, 19]  # most say 12, which another thing is
    assert told[0, 3].tolist() == [-1, -1, -1]
    unseen = evidence.voted(Seen(torch.randn(1, 9, 6), *both), 0 * cover, said, config)
    assert torch.equal(unseen, said)


def test_somebody_is_told_faintly_beside_all_that_the_tower_sees():
    torch.manual_seed(0)
    config, many = tiny_config(drawn=10, classes=10, evidence=2), 400
    before = seen(many, 2)
    forced, cover = torch.tensor([[13, -1]]).expand(many, 2), worn().expand(many, -1, -1, -1)
    told = evidence.force_evidence(before, forced, cover, torch.full((many,), True), config)
    others = changed(told, before).view(many, 2, 4, 5)
    met = others[:, 0, 1, 2].clone()
    others[:, 0, 1, 2] = False
    assert not others.any()
    assert 0.4 < met.float().mean() < 0.7
    names, sure = (x.view(many, 2, 4, 5)[met, 0, 1, 2] for x in (told.classes, told.probabilities))
    assert (names == 13).all()
    assert 0 < sure.min() < 0.05 < 0.5 < sure.max() < 0.95


def test_drawn_names_are_dimmed_in_half_of_the_natural_clips_alone():
    torch.manual_seed(0)
    config, many = tiny_config(drawn=10, classes=10, evidence=2), 400
    before = seen(many, 2)
    natural = torch.arange(many) % 2 == 0
    told = evidence.dimmed(before, natural, config)
    assert torch.equal(told.classes, before.classes)
    assert torch.equal(told.probabilities[..., :2], before.probabilities[..., :2])
    left = (told.probabilities / before.probabilities)[..., 2:].view(many, 2, 4, 3)
    assert (left[~natural] == 1).all()
    assert abs((left[natural] < 1).flatten(1).all(1).float().mean() - 0.5) < 0.1
    faint = left[(left < 1).flatten(1).all(1)].flatten(1)
    assert (faint > 0.99 * evidence.FAINT * evidence.DARK).all()
    lit = faint > 0.99 * faint.amax(1, keepdim=True)
    torch.testing.assert_close(
        faint, faint.amax(1, keepdim=True) * lit.float().clamp(evidence.DARK)
    )
