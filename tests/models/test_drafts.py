"""Shortcuts change no answer: a shared beginning, and a draft that may be right or wrong."""

import pytest
import torch

from scissor.models.decoding import greedy, log_probabilities, pruning, splice
from scissor.models.drafts import Prefix, follow
from scissor.types import InDecoder

pytestmark = pytest.mark.usefixtures("one_thread")
PRUNED = InDecoder(2, 0.25)


def prompts(decoder, count=3):
    torch.manual_seed(1)
    before, visual = torch.randint(0, 200, (7,)), torch.randn(24, 32)
    ends = [torch.randint(0, 200, (n + 3,)) for n in range(count)]
    return [splice(decoder, [before, visual, end]) for end in ends]


@pytest.fixture
def prompt(decoder):
    return prompts(decoder)[0]


@pytest.mark.parametrize("kept", [None, PRUNED], ids=["all", "pruned"])
@pytest.mark.parametrize("right", [0, 1, 4, 9])
def test_the_answer_is_greedy_however_much_of_the_draft_is_right(decoder, prompt, kept, right):
    want = list(
        greedy(decoder, prompt, [], max_new_tokens=9, around=pruning(decoder, prompt, kept))
    )
    draft = torch.tensor([*want[:right], *((i + 1) % 200 for i in want[right:])])
    found = follow(
        decoder, prompt, draft, [], max_new_tokens=9, around=pruning(decoder, prompt, kept)
    )
    assert found.ids == want
    scores = log_probabilities(decoder, prompt, draft, pruning(decoder, prompt, kept))
    torch.testing.assert_close(found.log_probabilities, scores, atol=1e-5, rtol=1e-5)
    assert found.seconds > 0


def test_an_answer_ends_where_it_would(decoder, prompt):
    want = list(greedy(decoder, prompt, [], max_new_tokens=12))
    end = [want[3]]
    short = want[: want.index(want[3]) + 1]
    for draft in (want[:2], want, want[:1], short):
        found = follow(decoder, prompt, torch.tensor(draft), end, max_new_tokens=12)
        assert found.ids == short
        assert len(found.log_probabilities) == len(draft)
    found = follow(decoder, prompt, torch.tensor(want), [], max_new_tokens=2)
    assert found.ids == want[:2]


def test_questions_share_what_was_read_and_nothing_else(decoder):
    prefix = Prefix()
    draft = torch.tensor([3, 4])
    first, second, third = prompts(decoder)
    for number, prompt in enumerate([first, second, third, second, first]):
        want = list(greedy(decoder, prompt, [], max_new_tokens=6))
        rows = []
        watch = decoder.model.layers[0].register_forward_pre_hook(
            lambda layer, args, rows=rows: rows.append(args[0].shape[1])
        )
        found = follow(decoder, prompt, draft, [], max_new_tokens=6, prefix=prefix)
        watch.remove()
        assert found.ids == want
        scores = log_probabilities(decoder, prompt, draft)
        torch.testing.assert_close(found.log_probabilities, scores, atol=1e-5, rtol=1e-5)
        assert rows[0] == (len(prompt) if number == 0 else len(prompt) - 31)
        assert (found.seconds is None) == (number > 0)


def test_another_clip_shares_nothing_but_equal_rows(decoder, prompt):
    prefix = Prefix()
    follow(decoder, prompt, torch.tensor([3]), [], max_new_tokens=1, prefix=prefix)
    other = splice(decoder, [torch.tensor([201, 1]), torch.randn(5, 32)])
    want = list(greedy(decoder, other, [], max_new_tokens=5))
    found = follow(decoder, other, torch.tensor([3]), [], max_new_tokens=5, prefix=prefix)
    assert found.ids == want
    assert found.seconds is not None


def test_a_pruned_run_leaves_the_prefix_alone(decoder, prompt):
    prefix = Prefix()
    for prompt in prompts(decoder, 2):
        around = pruning(decoder, prompt, PRUNED)
        found = follow(decoder, prompt, torch.tensor([3]), [], around=around, prefix=prefix)
        assert found.seconds is not None
    assert not prefix.warm
