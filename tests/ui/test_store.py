"""Bounded caches, handles, pictures."""

import base64

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scissor.ui.store import ByteCache, Store, picture


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60))
def test_a_cache_never_holds_more_than_its_limit_and_counts_right(puts):
    cache = ByteCache(100, lambda value: value)
    newest = {}
    for key, size in puts:
        cache.put(key, size)
        newest[key] = size
        held = {k: cache.get(k) for k in newest}
        assert cache.held == sum(v for v in held.values() if v is not None) <= 100
        assert all(v in (None, newest[k]) for k, v in held.items())
        assert held[key] == size


def test_the_least_recently_used_leaves_first():
    cache = ByteCache(2, lambda value: 1)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert cache.get("b") is None
    assert cache.get("a") == 1


def test_a_value_beyond_the_limit_stays_out():
    cache = ByteCache(10, lambda value: value)
    cache.put("small", 4)
    cache.put("large", 11)
    assert cache.get("large") is None
    assert cache.held <= 10


class Lump:
    size = 1


def test_handles_differ_and_lead_to_the_same_clip():
    store, clip = Store(), Lump()
    handles = {store.hand_out("key", clip) for _ in range(50)}
    assert len(handles) == 50
    assert all(len(handle) >= 16 and store.get(handle) is clip for handle in handles)


def test_what_is_no_handle_leads_nowhere():
    store = Store()
    store.hand_out("key", Lump())
    for wrong in ("key", "", None, 3, ["key"], {"handle": "key"}):
        assert store.get(wrong) is None


def test_a_handle_outlives_its_clip_but_leads_nowhere_then():
    store = Store(limit=1)
    first = store.hand_out("one", Lump())
    store.hand_out("two", Lump())
    assert store.get(first) is None


def test_pictures_are_jpeg_in_the_right_colours_and_never_enlarged():
    frame = np.zeros((40, 90, 3), np.uint8)
    frame[..., 0] = 200
    head, data = picture(frame, width=30).split(",")
    assert head == "data:image/jpeg;base64"
    image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image.shape == (13, 30, 3)
    assert abs(int(image[6, 15, 0]) - 200) < 6
    assert image[6, 15, 1:].max() < 12
    data = picture(frame, width=500).split(",")[1]
    assert cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1).shape == (40, 90, 3)
