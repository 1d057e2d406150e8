"""The three views agree with the compression they show."""

import pytest
import torch

from scissor.draw.overlay import VIEWS, component_hubs, view
from scissor.draw.palette import PALETTE, SINGLE
from scissor.graph import cosines
from scissor.scc import compress


@pytest.mark.parametrize("name", VIEWS)
def test_every_token_is_counted_once_and_is_like_its_hub_as_cosine_says(prepared, made, name):
    shown = view(prepared, made, name)
    frames, width = shown.ids.shape
    assert shown.size.sum() == frames * width
    flat = prepared.tokens.reshape(frames * width, -1)
    hub = shown.hub[:, 0] * width + shown.hub[:, 1]
    expected = cosines(flat)[torch.arange(len(flat)), hub[shown.ids.flatten()]]
    torch.testing.assert_close(shown.likeness.flatten(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["components", "groups"])
def test_a_hub_lies_in_its_own_group(prepared, made, name):
    shown = view(prepared, made, name)
    assert (shown.ids[shown.hub[:, 0], shown.hub[:, 1]] == torch.arange(len(shown.hub))).all()


def test_the_hubs_of_kept_tokens_are_hubs_of_components(prepared, made):
    hubs = {tuple(hub) for hub in component_hubs(prepared, made).tolist()}
    assert {tuple(hub) for hub in made.hub.tolist()} <= hubs


def test_a_component_hub_has_the_largest_degree_in_its_component(prepared, made):
    above = prepared.similar > made.tau_spatial
    degree = above.sum(-1) - torch.diagonal(above, dim1=-2, dim2=-1).long()
    for component, (t, n) in enumerate(component_hubs(prepared, made).tolist()):
        members = (made.spatial[t] == component).nonzero().flatten()
        best = degree[t, members].max()
        assert n == members[degree[t, members] == best].min()


def test_components_have_the_colours_of_their_frame(prepared):
    shown = view(prepared, compress(prepared, tau=0.9), "components")
    for frame in range(len(shown.ids)):
        here = shown.colour[shown.hub[:, 0] == frame]
        strong = here[here < len(PALETTE)].tolist()
        assert len(set(strong)) == len(strong) >= 2


def test_a_group_has_one_colour_in_all_frames_and_singles_none(prepared, made):
    shown = view(prepared, made, "groups")
    assert len(shown.colour) == made.kept
    assert ((shown.colour == SINGLE) == (shown.size == 1)).all()


def test_an_unknown_view_is_named(prepared, made):
    with pytest.raises(ValueError, match="no view named 'sideways'"):
        view(prepared, made, "sideways")
