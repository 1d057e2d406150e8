"""transformers' own way to an answer, to compare ours with.

Knows generate() and how to keep a checkpoint's sampling and penalties out of it. Leaves what it is
given to the families.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.inference_mode()
def generated(
    lm: nn.Module, end: Iterable[int], max_new_tokens: int, **inputs: Tensor
) -> tuple[list[int], Tensor]:
    """(greedy token ids, one of `end` included; [V] float32, the first one's log-probabilities).

    inputs: the model's own, on any device; pixels are cast to its type.
    """
    from transformers import GenerationConfig

    inputs = {name: value.to(lm.device) for name, value in inputs.items()}
    for name in [name for name in inputs if name.startswith("pixel_values")]:
        inputs[name] = inputs[name].to(lm.dtype)
    prompt = inputs.get("input_ids", inputs.get("inputs_embeds"))
    ends = sorted(end)
    how = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=ends,
        pad_token_id=ends[0],
        return_dict_in_generate=True,
        output_logits=True,
    )
    out = lm.generate(
        **inputs,
        attention_mask=torch.ones(prompt.shape[:2], dtype=torch.int64, device=lm.device),
        generation_config=how,
    )
    given = prompt.shape[1] if "input_ids" in inputs else 0
    return out.sequences[0, given:].tolist(), out.logits[0][0].float().log_softmax(-1).cpu()
