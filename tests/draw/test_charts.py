"""The charts show the compression's own numbers."""

import numpy as np
import pytest

from scissor.draw import charts
from scissor.draw.overlay import view
from scissor.draw.palette import colour_of
from scissor.scc import curve


def test_the_funnel_has_the_three_counts(made):
    assert tuple(charts.funnel(made).data[0].x) == made.counts


def test_tokens_a_frame_add_up(made):
    after, kept = charts.tokens_per_frame(made).data
    assert sum(after.y) == made.counts[1]
    assert sum(kept.y) == made.kept


def test_group_bars_fall_and_have_the_overlays_colours(prepared, made):
    shown = view(prepared, made, "groups")
    (bars,) = charts.largest_groups(shown, most=4).data
    sizes = sorted((int(s) for s in shown.size if s > 1), reverse=True)
    assert list(bars.y) == sizes[:4]
    known = {colour_of(int(c)) for c in shown.colour}
    assert set(bars.marker.color or ()) <= known


def test_the_curve_marks_where_the_dials_stand(prepared, made):
    found = curve(prepared, 12)
    spatial, kept, mark = charts.retention_curve(found, made).data
    total = made.counts[0]
    np.testing.assert_allclose(np.asarray(kept.y) * total, found.kept)
    np.testing.assert_allclose(np.asarray(spatial.y) * total, found.spatial)
    assert mark.x[0] == pytest.approx(made.tau_temporal)
    assert mark.y[0] == pytest.approx(made.retention)
