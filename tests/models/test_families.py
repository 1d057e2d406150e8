"""Every family against transformers' own path: nothing removed is the same, anything else runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from family_cases import CASES, QUESTION
from makekept import kept_of

from scissor.models import FAMILIES, family_of, load_model
from scissor.models.decoding import decode
from scissor.types import InDecoder, Video

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def video():
    frames = np.random.default_rng(0).integers(0, 256, (5, 40, 52, 3), dtype=np.uint8)
    return Video(frames, np.arange(5) * 1.5, 61.5, "clip", "key")


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def lm(case, tokenizer):
    return case.build(tokenizer)


@pytest.fixture(scope="module")
def model(case, lm, tokenizer):
    return case.adapter(lm, tokenizer)


@pytest.fixture(scope="module")
def encoded(model, video):
    return model.encode(video)


@pytest.fixture(scope="module")
def native(case, lm, tokenizer, video):
    return case.native(lm, tokenizer, video)


def test_the_prompts_logits_equal_the_native_ones(lm, model, encoded, native):
    prompt = model.prompt(encoded, None, QUESTION)
    with torch.inference_mode():
        want = lm(**native).logits
        got = lm(inputs_embeds=prompt.embeds, position_ids=prompt.positions, **prompt.extra).logits
    assert want.std() > 0.5
    assert got.shape == want.shape
    assert (got - want).abs().max() < 1e-5


def test_streamed_answers_equal_native_generation(case, lm, model, encoded, video, tokenizer):
    said, most = set(), 0
    for question in (QUESTION, "Why?", "the the", "1 2 3 4 5"):
        inputs = case.native(lm, tokenizer, video, question=question)
        how = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": tokenizer.eos_token_id}
        ids = lm.generate(**inputs, **how)[0]
        ids = ids[inputs["input_ids"].shape[1] :].tolist()
        pieces = list(model.answer(encoded, None, question, max_new_tokens=12))
        assert "".join(pieces) == decode(tokenizer, ids)
        said |= set(ids)
        most = max(most, len(pieces))
    assert len(said) > 3
    assert most > 1


def test_scores_sum_to_the_native_log_probability(case, lm, model, encoded, video, tokenizer):
    answer = model.answer_ids("a globe")
    with torch.inference_mode():
        logits = lm(**case.native(lm, tokenizer, video, answer)).logits[0]
    want = logits[-len(answer) - 1 : -1].log_softmax(-1)
    got = model.score(encoded, None, QUESTION, "a globe")
    torch.testing.assert_close(got, want, atol=5e-5, rtol=1e-5)
    total = got.gather(1, answer[:, None]).sum()
    torch.testing.assert_close(total, want.gather(1, answer[:, None]).sum(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("share", [0, 0.1, 1])
def test_any_number_of_kept_tokens_answers_and_scores(model, encoded, share):
    total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
    count = max(1, round(share * total))
    kept = kept_of(encoded, count)
    assert len(model.prompt(encoded, kept, QUESTION).visual) == count
    text = "".join(model.answer(encoded, kept, QUESTION, max_new_tokens=4))
    scores = model.score(encoded, kept, QUESTION, text)
    assert scores.shape[0] == len(model.answer_ids(text))
    torch.testing.assert_close(scores.exp().sum(-1), torch.ones(len(scores)))


def test_every_token_kept_equals_nothing_removed(model, encoded):
    total = encoded.tokens.shape[0] * encoded.tokens.shape[1]
    kept = kept_of(encoded, total, merge=False)
    want = model.score(encoded, None, QUESTION, "yes")
    torch.testing.assert_close(model.score(encoded, kept, QUESTION, "yes"), want)


def test_all_text_stays_where_frames_have_lost_all_tokens(model, encoded, tokenizer, case):
    kept = kept_of(encoded, 1)
    full = model.layout(encoded, None, QUESTION)
    few = model.layout(encoded, kept, QUESTION)
    slot = tokenizer.convert_tokens_to_ids(case.family.slot)
    assert (full.ids[few.columns] == slot).sum() == 1 + ("newline" in encoded.extras)
    words, all_words = (layout.ids[layout.columns] for layout in (few, full))
    assert torch.equal(words[words != slot], all_words[all_words != slot])


def test_a_merged_token_stands_at_its_hubs_place(lm, model, encoded):
    """Dropped columns take nothing with them: the rest keep positions and further rows."""
    kept = kept_of(encoded, 9)
    full, few = (model.prompt(encoded, which, QUESTION) for which in (None, kept))
    layout = model.layout(encoded, kept, QUESTION)
    assert torch.equal(layout.hubs, layout.hubs.sort().values)
    if full.positions is not None:
        assert torch.equal(few.positions, full.positions[..., layout.columns])
        assert few.start == full.start == int(full.positions.max()) + 1
    if "deepstack" in encoded.extras:
        video = few.extra["mm_encoder_outputs"]["video"]
        deep = torch.stack([x[0] for x in video.deepstack_features], dim=1)
        assert torch.equal(deep, encoded.extras["deepstack"].flatten(0, 1)[layout.hubs])
        assert deep.std() > 0.1


def test_dropping_a_token_equals_masking_it_natively(lm, model, encoded):
    """The decoder without a column is the decoder that must not look at it.

    Positions of three dimensions are those of all tokens; of one, they close up.
    """
    kept = kept_of(encoded, 20, merge=False)
    layout = model.layout(encoded, kept, QUESTION)
    mask = torch.zeros(1, len(layout.ids), dtype=torch.int64)
    mask[0, layout.columns] = 1
    full = model.prompt(encoded, None, QUESTION)
    closed = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        want = lm(
            inputs_embeds=full.embeds,
            position_ids=closed if full.positions is None else full.positions,
            attention_mask=mask,
            **full.extra,
        ).logits[0, -1]
    got = model.score(encoded, kept, QUESTION, "a")[0]
    torch.testing.assert_close(got, want.log_softmax(-1), atol=1e-4, rtol=1e-4)


def test_one_cells_pixels_reach_one_token_alone(case, tokenizer):
    """Where no patch of the tower looks at another: the grid is in reading order."""
    model = case.adapter(blinkered(case.build(tokenizer)), tokenizer)
    frames = np.full((4, 288, 288, 3), 90, np.uint8)
    before = model.encode(Video(frames.copy(), np.arange(4.0), 4.0, "c", "k"))
    rows, cols = before.grid
    row, col = rows - 2, cols // 2
    middle = [int((at + 0.5) * 288 / edges) for at, edges in ((row, rows), (col, cols))]
    frames[3, middle[0] - 3 : middle[0] + 3, middle[1] - 3 : middle[1] + 3] = 255
    after = model.encode(Video(frames, np.arange(4.0), 4.0, "c", "k"))
    change = (after.tokens - before.tokens).norm(dim=-1)
    step = 3 // case.family.stride
    assert int(change.argmax()) == step * rows * cols + row * cols + col
    change[step, row * cols + col] = 0
    if case.name != "llava_onevision":  # its bilinear pooling reaches into the neighbours
        assert change.max() < 1e-4
    change[step] = 0
    assert change.max() == 0


def blinkered(lm):
    """The model with a tower whose attention adds nothing."""
    for name, part in lm.named_modules():
        if name.endswith((".out_proj", ".attn.proj", ".projection_layer")):
            torch.nn.init.zeros_(part.weight)
    return lm


def test_attention_equals_the_weights_of_an_eager_layer(case, lm, model, video):
    got = model.encode(video, attention=True)
    with spied(lm, case.tower(lm)) as weights:
        model.encode(video)
    seen = torch.cat([part.float() for part in weights])  # [frames, heads, queries, keys]
    patches = seen[:, :, 0, 1:].mean(1) if case.class_token else seen.mean(dim=(1, 2))
    if case.name == "llava_onevision":
        want = lm.model.apply_pooling(patches[..., None])[..., 0]
    elif case.name.startswith("qwen"):
        want = patches.unflatten(-1, (-1, 4)).mean(-1)
        if case.name == "qwen2_5_vl":
            want = unwindowed(lm, want, got.grid)
    else:
        rows, cols = got.grid
        want = patches.reshape(-1, rows, 2, cols, 2).mean(dim=(2, 4)).flatten(1)
    assert want.std() > 0.01 * want.mean()
    torch.testing.assert_close(got.attention, want, atol=1e-6, rtol=1e-4)
    assert not case.tower(lm)._forward_pre_hooks


class spied:  # noqa: N801 - a context
    """Within it, the vision tower runs eagerly and `layer`'s attention weights are kept."""

    def __init__(self, lm, layer):
        self.lm, self.layer, self.kept = lm, layer, []

    def __enter__(self):
        from transformers.modeling_utils import AttentionInterface

        def spy(module, query, key, value, attention_mask, scaling=None, **_):
            scores = query @ key.transpose(2, 3) * scaling
            weights = scores.softmax(-1)
            if module is self.layer:
                self.kept.append(weights)
            return (weights @ value).transpose(1, 2).contiguous(), weights

        AttentionInterface.register("spy", spy)
        self.before = self.layer.config._attn_implementation
        self.layer.config._attn_implementation = "spy"
        return self.kept

    def __exit__(self, *_):
        from transformers.modeling_utils import AttentionInterface

        self.layer.config._attn_implementation = self.before
        del AttentionInterface._global_mapping["spy"]


def unwindowed(lm, tokens, grid):
    """[t, N] in reading order, by walking over the windows: 3 x 3 tokens each."""
    rows, cols = grid
    order = [
        row * cols + col
        for top in range(0, rows, 3)
        for left in range(0, cols, 3)
        for row in range(top, min(top + 3, rows))
        for col in range(left, min(left + 3, cols))
    ]
    out = torch.empty_like(tokens)
    out[:, order] = tokens
    return out


def test_pruning_inside_the_decoder(model, case, encoded):
    native = model.score(encoded, None, QUESTION, "yes")
    few = model.score(encoded, InDecoder(2, 0.1), QUESTION, "yes")
    assert (few - native).abs().max() > 1e-3
    every = model.score(encoded, InDecoder(2, 1.0), QUESTION, "yes")
    torch.testing.assert_close(every, native, atol=1e-5, rtol=1e-5)
    assert "".join(model.answer(encoded, InDecoder(2, 0.1), QUESTION, max_new_tokens=3))
    if case.family.prune_from > 1:
        with pytest.raises(ValueError, match="prune after at least 2 of them, not 1"):
            model.prompt(encoded, InDecoder(1, 0.5), QUESTION)


def test_a_saved_checkpoint_loads_by_its_folder(
    case, lm, model, encoded, video, tokenizer, tmp_path
):
    folder = tmp_path / f"tiny-{case.name}"
    lm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    loaded = load_model(str(folder), device="cpu")
    assert loaded.name == folder.name
    again = loaded.encode(video)
    assert torch.equal(again.tokens, encoded.tokens)
    kept = kept_of(encoded, 7)
    for which in (None, kept):
        answers = [
            "".join(each.answer(encoded, which, QUESTION, max_new_tokens=6))
            for each in (loaded, model)
        ]
        assert answers[0] == answers[1]


def test_the_family_is_found_in_the_configuration(case, lm):
    assert family_of(lm.config.to_dict()) == case.name
    assert case.name in FAMILIES


def test_without_the_familys_tokens_the_tokenizer_is_refused(case, model, encoded):
    from scissor.models import ModelError

    other = replace(case.family, slot="the")
    model = type(model)(other, model._lm, model._tokenizer, "other")
    with pytest.raises(ModelError, match="does not know its family's video tokens"):
        model.prompt(encoded, None, QUESTION)


def test_every_method_answers(model, video):
    from scissor.methods import METHODS

    encoded = model.encode(video, attention=True)
    for method in METHODS.values():
        share = 0.4 if method.reaches(0.4, len(encoded.tokens)) else 0.7
        scores = model.score(encoded, method(encoded, share), QUESTION, "a")
        assert torch.isfinite(scores).all()
