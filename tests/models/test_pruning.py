import numpy as np
import pytest
import torch
from tiny_models import text_config

from scissor.models.decoding import greedy, log_probabilities, pruning, splice
from scissor.models.pruning import selection
from scissor.types import Encoded, InDecoder

pytestmark = pytest.mark.usefixtures("one_thread")
VISUAL = 24


@pytest.fixture(params=["llama", "qwen2"])
def family(request):
    return request.param


@pytest.fixture(params=["sdpa", "eager"])
def decoder(request, family, tokenizer):
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = text_config(family, len(tokenizer))
    model = AutoModelForCausalLM.from_config(config, attn_implementation=request.param)
    return model.eval()


@pytest.fixture
def prompt(decoder):
    torch.manual_seed(3)
    before, after = torch.randint(0, 200, (2, 5))
    return splice(decoder, [before, torch.randn(VISUAL, 32), after])


def attend(layer, hidden, cos, sin):
    """One decoder layer in full, by hand: (output [n, D], attention weights [heads, n, n])."""
    attention = layer.self_attn
    normed = layer.input_layernorm(hidden)

    def heads(project, rotate):
        states = project(normed).unflatten(-1, (-1, attention.head_dim)).transpose(0, 1)
        half = states.shape[-1] // 2
        turned = torch.cat([-states[..., half:], states[..., :half]], dim=-1)
        return states * cos + turned * sin if rotate else states

    groups = attention.num_key_value_groups
    query = heads(attention.q_proj, True)
    key = heads(attention.k_proj, True).repeat_interleave(groups, 0)
    value = heads(attention.v_proj, False).repeat_interleave(groups, 0)
    future = torch.ones(len(hidden), len(hidden), dtype=torch.bool).triu(1)
    scores = query @ key.transpose(1, 2) / attention.head_dim**0.5
    weights = scores.masked_fill(future, float("-inf")).softmax(-1)
    mixed = attention.o_proj((weights @ value).transpose(0, 1).flatten(1))
    middle = hidden + mixed
    return middle + layer.mlp(layer.post_attention_layernorm(middle)), weights


@torch.no_grad()
def slow_logits(model, prompt, ids, layer, retention):
    """FastV without a cache, everything again from the embeddings: (the last logits, kept)."""
    weights = torch.empty(0)
    table = model.get_input_embeddings()
    hidden = torch.cat([prompt.embeds[0], table(torch.tensor(ids, dtype=torch.int64))])
    positions = torch.arange(len(hidden))
    rotary = model.model.rotary_emb
    for i, block in enumerate(model.model.layers):
        if i == layer:
            paid = weights[:, len(prompt) - 1, :].mean(0)[prompt.visual]
            count = max(1, -int(-retention * VISUAL // 1))
            kept = paid.topk(count).indices.sort().values
            dropped = set(prompt.visual.tolist()) - set(prompt.visual[kept].tolist())
            stay = torch.tensor([row for row in range(len(hidden)) if row not in dropped])
            hidden, positions = hidden[stay], positions[stay]
        cos, sin = (part[0] for part in rotary(hidden[None], positions[None]))
        hidden, weights = attend(block, hidden, cos, sin)
    logits = model.lm_head(model.model.norm(hidden))
    return logits[-len(ids) - 1 :], kept


@pytest.mark.parametrize("layer", [1, 2, 4])
@pytest.mark.parametrize("retention", [0.05, 0.3, 0.75])
def test_equals_a_slow_recomputation(decoder, prompt, layer, retention):
    how = InDecoder(layer, retention)
    around = pruning(decoder, prompt, how)
    got = list(greedy(decoder, prompt, [], max_new_tokens=8, around=around))
    ids = []
    for _ in range(8):
        logits, kept = slow_logits(decoder, prompt, ids, layer, retention)
        ids.append(int(logits[-1].argmax()))
    assert got == ids
    assert torch.equal(around.kept, kept)
    scores = log_probabilities(decoder, prompt, torch.tensor(ids), pruning(decoder, prompt, how))
    want = slow_logits(decoder, prompt, ids[:-1], layer, retention)[0].log_softmax(-1)
    torch.testing.assert_close(scores, want, atol=1e-4, rtol=1e-5)


def test_pruning_changes_the_answer_and_leaves_the_model_as_it_was(decoder, prompt):
    ids = torch.tensor([4, 9, 9, 1])
    before = log_probabilities(decoder, prompt, ids)
    pruned = log_probabilities(decoder, prompt, ids, pruning(decoder, prompt, InDecoder(2, 0.1)))
    assert (pruned - before).abs().max() > 0.01
    assert torch.equal(log_probabilities(decoder, prompt, ids), before)
    assert not any(module._forward_pre_hooks for module in decoder.modules())


def test_the_chosen_tokens_are_told(decoder, prompt):
    told = []
    around = pruning(decoder, prompt, InDecoder(2, 0.25, chosen=told.append))
    list(greedy(decoder, prompt, [], max_new_tokens=3, around=around))
    assert len(told) == 1
    assert torch.equal(told[0], around.kept)


def test_hooks_go_when_a_call_fails(decoder, prompt):
    around = pruning(decoder, prompt, InDecoder(2, 0.1))
    with pytest.raises(ZeroDivisionError), around(None):
        raise ZeroDivisionError
    assert not any(module._forward_pre_hooks for module in decoder.modules())


def test_everything_kept_changes_nothing(decoder, prompt):
    ids = torch.tensor([4, 9, 9, 1])
    want = log_probabilities(decoder, prompt, ids)
    got = log_probabilities(decoder, prompt, ids, pruning(decoder, prompt, InDecoder(1, 1.0)))
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


def test_the_cache_behind_the_layer_holds_kept_tokens_alone(decoder, prompt):
    from scissor.models.decoding import Run

    run = Run(decoder, prompt, pruning(decoder, prompt, InDecoder(2, 0.25)))
    run.prefill()
    run.feed([3])
    lengths = [layer.keys.shape[2] for layer in run._cache.layers]
    assert lengths == [35, 35] + [10 + 6 + 1] * 3


def test_layers_and_rules_out_of_reach_are_a_sentence(decoder, prompt):
    for layer in (0, 5):
        with pytest.raises(ValueError, match="after 1 to 4 layers"):
            pruning(decoder, prompt, InDecoder(layer, 0.5))
    with pytest.raises(ValueError, match="not 'other'"):
        pruning(decoder, prompt, InDecoder(2, 0.5, "other"))


def test_a_selection_marks_what_was_dropped():
    clip = Encoded(torch.randn(2, 6, 4), (2, 3), np.arange(2), "test", "k")
    kept = selection(clip, torch.tensor([1, 8]))
    assert torch.equal(kept.tokens, clip.tokens.flatten(0, 1)[[1, 8]])
    assert kept.hub.tolist() == [[0, 1], [1, 2]]
    assert kept.share.flatten().tolist() == [-1, 0] + [-1] * 6 + [1] + [-1] * 3
    assert kept.place.tolist() == [[0, 0, 1], [1, 0, 2]]
    assert kept.counts == (12, 2, 2)
    assert kept.moved == 0
    assert kept.after == 0
    assert selection(clip, torch.tensor([1, 8]), after=2).after == 2
