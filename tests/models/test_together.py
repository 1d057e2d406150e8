"""Side by side a prompt gets the answer that it gets alone, whatever stands beside it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tinymini import tiny_mini

from scissor.models import together
from scissor.models.decoding import Prompt, greedy, splice
from scissor.models.drafts import follow
from scissor.models.mini import Mini
from scissor.models.together import follow_all
from scissor.types import Encoded, InDecoder

pytestmark = pytest.mark.usefixtures("one_thread")
MOST = 8


@pytest.fixture(scope="module")
def small():
    return tiny_mini().decoder


def prompt_of(decoder, visual, text, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(visual, 32, generator=generator)
    before, after = (torch.randint(0, 200, (n,), generator=generator) for n in (4, text))
    return splice(decoder, [before, rows, after])


def same(found, want):
    assert found.ids == want.ids
    assert found.seconds is None
    torch.testing.assert_close(
        found.log_probabilities, want.log_probabilities, atol=2e-4, rtol=2e-4
    )


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(0, MOST), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 200),
)
def test_every_row_is_what_it_is_alone(small, asked, rows):
    """Each row: its visual tokens and words, how much of its draft is right, whether it may end."""
    prompts = [prompt_of(small, visual, text, k) for k, (visual, text, *_) in enumerate(asked)]
    drafts, ends = [], set()
    for prompt, (_, _, right, ending) in zip(prompts, asked, strict=True):
        said = list(greedy(small, prompt, [], max_new_tokens=MOST))
        ends |= {said[right // 2]} if ending else set()
        drafts.append(torch.tensor([*said[:right], (said[0] + 7) % 200]))
    found = follow_all(small, prompts, drafts, ends, max_new_tokens=MOST, rows=rows)
    for prompt, draft, one in zip(prompts, drafts, found, strict=True):
        same(one, follow(small, prompt, draft, ends, max_new_tokens=MOST))


def test_other_decoders_can_be_read_side_by_side(decoder):
    prompts = [prompt_of(decoder, visual, 3, visual) for visual in (2, 31, 12)]
    drafts = [torch.tensor(ids) for ids in ([3], [4, 5, 6], [7, 8])]
    found = follow_all(decoder, prompts, drafts, [], max_new_tokens=MOST)
    for prompt, draft, one in zip(prompts, drafts, found, strict=True):
        same(one, follow(decoder, prompt, draft, [], max_new_tokens=MOST))


def test_batches_hold_no_more_than_they_may_and_everything_once():
    widths = [5, 40, 7, 7, 100, 3]
    found = list(together._batches(widths, 60))
    assert sorted(k for batch in found for k in batch) == list(range(6))
    assert all(len(batch) == 1 or len(batch) * widths[batch[0]] <= 60 for batch in found)
    assert found[0] == [4]


def test_a_batch_without_memory_is_halved(small, monkeypatch):
    prompts = [prompt_of(small, n, 2, n) for n in (5, 9, 3, 30)]
    drafts, sizes = [torch.tensor([1, 2])] * 4, []
    read = together._Batch._read

    def short(self):
        sizes.append(len(self._prompts))
        if len(self._prompts) > room:
            raise torch.OutOfMemoryError
        return read(self)

    monkeypatch.setattr(together._Batch, "_read", short)
    room = 1
    found = follow_all(small, prompts, drafts, [], max_new_tokens=3)
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
    for prompt, one in zip(prompts, found, strict=True):
        same(one, follow(small, prompt, drafts[0], [], max_new_tokens=3))
    room = 0
    with pytest.raises(torch.OutOfMemoryError):
        follow_all(small, prompts, drafts, [], max_new_tokens=3)


def test_prompts_with_positions_of_their_own_are_refused(small):
    prompt = Prompt(torch.zeros(1, 3, 32), torch.arange(2), torch.arange(3)[None])
    with pytest.raises(ValueError, match="side by side"):
        follow_all(small, [prompt], [torch.tensor([1])], [])


def test_the_embedded_model_follows_all_as_it_follows_each():
    model = Mini(tiny_mini(), "mini", torch.device("cpu"), torch.float32)
    tokens = torch.randn(3, 4, 32, generator=torch.Generator().manual_seed(1))
    encoded = Encoded(tokens, (2, 2), torch.arange(3).numpy(), "mini", "key")
    asked = [
        (kept, question, draft)
        for kept in (None, InDecoder(2, 0.3))
        for question, draft in (("what is it", "a red fox"), ("how many", "two"))
    ]
    found = model.follow_all(encoded, asked, max_new_tokens=5)
    for (text, one), each in zip(found, asked, strict=True):
        said, alone = model.follow(encoded, *each, max_new_tokens=5)
        assert (text, one.ids) == (said, alone.ids)
        torch.testing.assert_close(one.log_probabilities, alone.log_probabilities)
