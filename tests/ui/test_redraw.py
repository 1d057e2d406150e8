"""The wire format of the canvas gives back what the compression says."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scissor.draw.overlay import VIEWS, view
from scissor.graph import cosines
from scissor.ui.errors import RequestError
from scissor.ui.redraw import (
    Dial,
    alike,
    compress_at,
    elsewhere,
    fewer_flops,
    histogram,
    links,
    pack,
    redraw,
    scene,
    useful_range,
)
from scissor.ui.store import encode
from scissor.video import read_video


@pytest.fixture
def shown(desk, clip):
    return encode(desk.shelf.model, read_video(clip, frames=5))


def read(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(json_values, json_values, json_values)
def test_any_json_gives_a_dial_in_range(raw, lead, value):
    for given_ in (raw, {"lead": lead, "value": value}, {"lead": "tau", "value": value}):
        dial = Dial.read(given_)
        low = {"tau": -1, "retention": 0}[dial.lead]
        assert low <= dial.value <= 1


def test_a_dial_reads_what_it_is_given():
    assert Dial.read({"lead": "tau", "value": 0.25}) == Dial("tau", 0.25)
    assert Dial.read({"lead": "retention", "value": 1}) == Dial("retention", 1.0)


@pytest.mark.parametrize("dial", [Dial("tau", 0.9), Dial("retention", 0.3), Dial("retention", 1)])
def test_a_redraw_is_json_and_true(shown, dial):
    made = compress_at(shown, dial)
    answer = json.loads(json.dumps(redraw(shown, dial, made)))
    assert answer["counts"] == list(made.counts)
    assert answer["lead"] == dial.lead
    assert (answer["asked"] is None) == (dial.lead == "tau")
    for name in VIEWS:
        ids = read(answer["views"][name]["ids"], "<u2")
        assert (ids == view(shown.prepared, made, name).ids.flatten().numpy()).all()


def test_a_packed_view_unpacks(shown):
    found = view(shown.prepared, compress_at(shown, Dial("tau", 0.95)), "groups")
    packed = pack(found)
    hub = read(packed["hubs"], "<u4")
    assert (hub // 36 == found.hub[:, 0].numpy()).all()
    assert (hub % 36 == found.hub[:, 1].numpy()).all()
    assert (read(packed["colours"], "u1") == found.colour.numpy()).all()
    like = read(packed["likeness"], "u1") / 255
    assert np.abs(like - found.likeness.flatten().clamp(0, 1).numpy()).max() < 0.003


def test_the_links_above_tau_make_the_components(shown):
    parent, weight = links(shown.prepared)
    made = compress_at(shown, Dial("tau", 0.97))
    for frame, component in enumerate(made.spatial.tolist()):
        joined = weight[frame] > 0.97
        assert joined.sum() == len(component) - len(set(component))
        for n in np.flatnonzero(joined):
            assert component[n] == component[parent[frame][n]]


def test_the_scene_is_json_with_a_picture_a_frame(shown):
    found = json.loads(json.dumps(scene(shown)))
    assert len(found["pictures"]) == len(found["times"]) == 5
    assert found["grid"] == [6, 6]
    assert len(read(found["weight"], "<f4")) == len(read(found["parent"], "<u2")) == 5 * 36


def test_the_histogram_counts_the_pairs_in_range(shown):
    bars = histogram(shown)
    similar = shown.prepared.similar.numpy()
    i, j = np.triu_indices(36, 1)
    pairs = similar[:, i, j]
    inside = (pairs >= bars["lo"]) & (pairs <= bars["hi"])
    assert sum(bars["bars"]) == inside.sum()


def test_over_the_useful_range_everything_from_few_to_all_is_kept(shown):
    lo, hi = useful_range(shown)
    total = compress_at(shown, Dial("tau", hi)).counts
    assert total[2] >= 0.97 * total[0]
    assert compress_at(shown, Dial("tau", lo)).kept <= 0.05 * total[0] + 2


def test_fewer_tokens_cost_fewer_operations():
    ratios = [fewer_flops("mini", 3136, kept) for kept in (3136, 1568, 314, 31)]
    assert ratios[0] == 1
    assert ratios == sorted(ratios)
    assert fewer_flops("unknown", 3136, 314) is None


def test_the_cut_elsewhere_saves_operations_and_memory_in_proportion():
    saved = elsewhere(6272, 627)
    assert saved["flops"][0] / saved["flops"][1] > 9
    assert saved["bytes"][0] / saved["bytes"][1] == pytest.approx((6272 + 48) / (627 + 48))


def test_a_patch_is_alike_to_others_as_the_cosine_says(shown):
    cosine = read(alike(shown, 40)["cosines"], "<i2") / 32767
    expected = cosines(shown.prepared.tokens.flatten(0, 1))[40].numpy()
    np.testing.assert_allclose(cosine, expected, atol=1e-4)
    for wrong in (-1, 180, None, "3", 2.0):
        with pytest.raises(RequestError):
            alike(shown, wrong)
