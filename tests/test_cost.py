import pytest
import torch

from scissor.cost import (
    PAPER_TFLOPS,
    SHAPES,
    Shape,
    layer_flops,
    paper_layer_flops,
    paper_row,
    prompt_cost,
    shape_of,
    visual_counts,
)
from scissor.types import InDecoder


def llama(**sizes):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=50,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation="eager",
        **sizes,
    )
    return LlamaForCausalLM(config).eval()


@pytest.mark.parametrize("head_dim", [None, 10])
@pytest.mark.parametrize("n", [1, 7, 33])
def test_flops_equal_torchs_own_counter(n, head_dim):
    from torch.utils.flop_counter import FlopCounterMode

    model = llama(**({"head_dim": head_dim} if head_dim else {}))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(inputs_embeds=torch.randn(1, n, 24), logits_to_keep=1, use_cache=False)
    assert prompt_cost(shape_of(model.config), n).flops == counter.get_total_flops()


def test_cache_bytes_equal_a_real_cache():
    model = llama()
    with torch.no_grad():
        cache = model(inputs_embeds=torch.randn(1, 9, 24), use_cache=True).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert prompt_cost(shape_of(model.config), 5, text=4, value_bytes=4).cache_bytes == held


def test_the_papers_formula_by_hand():
    shape = Shape(layers=2, width=3, mlp=5, heads=1, kv_heads=1, vocab=7)
    assert paper_layer_flops(shape, 2) == 4 * 2 * 9 + 2 * 4 * 3 + 2 * 2 * 3 * 5
    assert prompt_cost(shape, 2).paper_flops == 2 * paper_layer_flops(shape, 2)


def test_the_formula_meets_the_papers_table_at_7b():
    """With 110 tokens of text, a count the paper does not print, all six rows agree to 3%."""
    printed = {1: 41.4, 0.5: 18.6, 0.35: 13.4, 0.2: 7.6, 0.1: 4.0, 0.05: 2.3}
    for retention, tera in printed.items():
        cost = prompt_cost(SHAPES["llava-onevision-7b"], round(6272 * retention), text=110)
        assert cost.paper_flops / 1e12 == pytest.approx(tera, rel=0.03)


def test_pruning_inside_the_decoder_counts_each_layer():
    shape = Shape(layers=3, width=4, mlp=5, heads=2, kv_heads=1, vocab=6)
    cost = prompt_cost(shape, [10, 10, 2], text=1)
    layers = [layer_flops(shape, n) for n in (11, 11, 3)]
    assert cost.flops == sum(layers) + 2 * 4 * 6
    assert cost.tokens == 11
    assert cost.cache_bytes == (11 + 11 + 3) * 2 * 2 * 2
    with pytest.raises(ValueError, match="2 counts for a decoder of 3"):
        prompt_cost(shape, [10, 2])


def test_catalog_shapes_are_plausible():
    for shape in SHAPES.values():
        assert shape.heads * shape.head_width >= shape.width
        assert shape.heads % shape.kv_heads == 0


def test_equal_decoders_have_equal_shapes():
    from transformers import Qwen2Config

    text = {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24}
    heads = {"num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 152_000}
    for more in ({}, {"head_dim": 64}):
        config = Qwen2Config(**text, **heads, **more)
        assert shape_of(config) == SHAPES["llava-onevision-0.5b"]
    assert shape_of(Qwen2Config(**text, **heads, head_dim=32)).head_width == 32


def test_the_embedded_models_sizes_are_those_it_ships_with():
    from scissor.mini.config import Config
    from scissor.mini.loading import CONFIG, shipped

    decoder = Config.read(shipped() / CONFIG).decoder
    names = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads")
    names += ("num_key_value_heads", "vocab_size")
    assert SHAPES["mini"] == Shape(*(decoder[name] for name in names))


def test_layers_before_a_choice_inside_read_everything():
    import numpy as np

    from scissor.methods import METHODS
    from scissor.models.pruning import selection
    from scissor.types import Encoded

    clip = Encoded(torch.randn(2, 10, 4), (2, 5), np.arange(2), "test", "k")
    assert visual_counts(None, 20, 3) == [20, 20, 20]
    assert visual_counts(METHODS["random"](clip, 0.3), 20, 3) == [6, 6, 6]
    assert visual_counts(InDecoder(2, 0.3), 20, 4) == [20, 20, 6, 6]
    assert visual_counts(selection(clip, torch.arange(6), after=2), 20, 4) == [20, 20, 6, 6]


@pytest.mark.parametrize(
    ("retention", "tokens", "printed", "formula", "off", "flops", "megabytes"),
    [
        (1.0, 6272, 41.4, 40.77, "+1.6%", 97.6, 359.7),
        (0.5, 3136, 18.6, 18.41, "+1.0%", 44.9, 179.8),
        (0.35, 2195, 13.4, 12.47, "+7.5%", 30.6, 125.9),
        (0.1, 627, 4.0, 3.36, "+18.9%", 8.3, 36.0),
    ],
)
def test_the_papers_column_beside_its_formula(
    retention, tokens, printed, formula, off, flops, megabytes
):
    """Each figure of the README's table."""
    row = paper_row(retention)
    assert (row.tokens, row.printed) == (tokens, printed)
    assert round(row.formula, 2) == formula
    assert f"{row.off:+.1%}" == off
    assert round(row.flops, 1) == flops
    assert round(row.cache_bytes / 1e6, 1) == megabytes


def test_the_formula_gives_what_is_printed_with_some_text():
    """Of the six rows five ask for 80 to 155 text tokens, the one at half of the tokens for 29."""
    for retention, printed in PAPER_TFLOPS.items():
        row = paper_row(retention)
        shape = SHAPES["llava-onevision-7b"]
        with_text = prompt_cost(shape, row.tokens, text=row.text).paper_flops / 1e12
        assert with_text == pytest.approx(printed, rel=0.005)
    counts = [paper_row(retention).text for retention in PAPER_TFLOPS]
    assert counts == [82, 29, 152, 124, 116, 118]
