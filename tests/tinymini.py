"""The embedded model in miniature: the real modules and tokenizer, random weights."""

import torch

from scissor.mini import Config, build
from scissor.mini.decoder import load_tokenizer
from scissor.mini.loading import shipped

NAMES = ["red fox", "dog", "taxi", "daisy", "lake", "sofa", "tram", "lion"]


def tiny_config(**changes):
    fields = {
        "frame": 64,
        "glance": 32,
        "max_frames": 12,
        "stem": 8,
        "stages": (
            (1, 3, 1, 1, 8),
            (1, 3, 2, 6, 8),
            (1, 5, 2, 6, 8),
            (2, 3, 2, 6, 16),
            (1, 5, 1, 6, 16),
            (1, 3, 1, 6, 24),
        ),
        "taps": (5, 2),
        "head": 32,
        "classes": len(NAMES),
        "evidence": 3,
        "reader_width": 32,
        "reader_layers": 2,
        "reader_heads": 2,
        "projector_width": 32,
        "place_frequencies": 4,
        "decoder": Config().decoder
        | {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 5,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "initializer_range": 0.4,  # wide, so that random logits differ clearly
        },
    }
    return Config(**fields | changes)


def tiny_mini(**changes):
    torch.manual_seed(0)
    model = build(tiny_config(**changes), load_tokenizer(shipped()), NAMES)
    torch.nn.init.normal_(model.place.linear.weight, std=0.2)
    return model.eval().requires_grad_(False)
