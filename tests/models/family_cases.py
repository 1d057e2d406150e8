"""One case a family: the real class in small with random weights, and its native inputs by hand."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
from qwen_cases import QUESTION, build_qwen2_5, build_qwen3, lively, qwen2_5, qwen3
from tiny_models import onevision, text_config

from scissor.models import internvl as internvl_file
from scissor.models import (
    llava_next_video,
    qwen2_5_vl,
    qwen3_vl,
    smolvlm,
)
from scissor.models import onevision as onevision_file
from scissor.models.adapter import Adapter, Family
from scissor.models.pixels import (
    central_square,
    frames_to_pixels,
    normalised,
)

SIDE = 32  # of a frame as the small towers see it: 8 x 8 patches of 4


@dataclass(frozen=True)
class Case:
    """build: (tokenizer, layers of the tower) -> lm. inputs: (lm, video) -> text, more inputs."""

    name: str
    family: Family
    build: Callable
    inputs: Callable
    tower: Callable  # lm -> the attention module that VisionZip's scores come from
    class_token: bool = False

    def adapter(self, lm: Any, tokenizer: Any, **more: Any) -> Adapter:
        return Adapter(self.family, lm, tokenizer, self.name, **more)

    def native(
        self, lm: Any, tokenizer: Any, video: Any, after: Any = (), question: str = QUESTION
    ) -> dict[str, Any]:
        """What transformers' processor would hand to the model, `after` the ids of an answer."""
        text, more = self.inputs(lm, video)
        text = text.replace(QUESTION, question)
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        ids = torch.cat([ids, torch.as_tensor(list(after), dtype=torch.int64)[None]], dim=1)
        if "video_grid_thw" in more:
            video_id = tokenizer.convert_tokens_to_ids("<|video_pad|>")
            more["mm_token_type_ids"] = (ids == video_id).int() * 2
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), **more}


def build_next_video(tokenizer: Any, layers: int = 3) -> Any:
    from transformers import (
        CLIPVisionConfig,
        LlavaNextVideoConfig,
        LlavaNextVideoForConditionalGeneration,
    )

    torch.manual_seed(7)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=layers,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=4,
    )
    config = LlavaNextVideoConfig(
        vision_config=vision,
        text_config=text_config("llama", len(tokenizer)),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2 if layers else -1,
    )
    lm = LlavaNextVideoForConditionalGeneration(config)
    return lively(lm, lm.model.vision_tower, lm.model.multi_modal_projector)


def next_video(lm: Any, video: Any) -> tuple[str, dict]:
    pixels = normalised(central_square(video.frames, SIDE), llava_next_video.FAMILY.statistics)
    text = f"USER: {'<video>' * (len(video.frames) * 16)}\n{QUESTION} ASSISTANT:"
    return text, {"pixel_values_videos": pixels[None]}


def build_onevision(tokenizer: Any, layers: int = 3) -> Any:
    return onevision(tokenizer, layers=layers)


def one_vision(lm: Any, video: Any) -> tuple[str, dict]:
    slots = "<video>" * (len(video.frames) * 9 + 1)
    text = f"<|im_start|>user {slots}\n{QUESTION}<|im_end|><|im_start|>assistant\n"
    return text, {"pixel_values_videos": frames_to_pixels(video.frames, (60, 60))[None]}


def build_smolvlm(tokenizer: Any, layers: int = 2) -> Any:
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    torch.manual_seed(2)
    config = SmolVLMConfig(
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": 4,
        },
        text_config=text_config("llama", len(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    lm = SmolVLMForConditionalGeneration(config)
    return lively(lm, lm.model.vision_model, lm.model.connector)


def smol(lm: Any, video: Any) -> tuple[str, dict]:
    image = "<fake_token_around_image><global-img>" + "<image>" * 16 + "<fake_token_around_image>"
    stamps = [f"{int(t) // 60:02d}:{int(t) % 60:02d}" for t in video.times]
    clip = (
        "You are provided the following series of five frames from a "
        f"{timedelta(seconds=int(video.duration))} [H:MM:SS] video.\n"
        + "".join(f"\nFrame from {stamp}:{image}" for stamp in stamps)
        + "\n\n"
    )
    text = f"<|im_start|>User: {clip}{QUESTION}<end_of_utterance>\nAssistant:"
    pixels = smolvlm.smol_pixels(video.frames, SIDE, smolvlm.FAMILY.statistics)
    return text, {"pixel_values": pixels[None]}


def build_internvl(tokenizer: Any, layers: int = 2) -> Any:
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    torch.manual_seed(0)
    config = InternVLConfig(
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "image_size": (SIDE, SIDE),
            "patch_size": (4, 4),
            "use_qk_norm": True,
        },
        text_config=text_config("qwen2", len(tokenizer)),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=16,
        tie_word_embeddings=False,
    )
    lm = InternVLForConditionalGeneration(config)
    return lively(lm, lm.model.vision_tower, lm.model.multi_modal_projector)


def intern(lm: Any, video: Any) -> tuple[str, dict]:
    lines = [f"Frame{i + 1}: <img>{'<IMG_CONTEXT>' * 16}</img>" for i in range(len(video.frames))]
    clip = "\n".join(lines)
    text = f"<|im_start|>user\n{clip}\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    pixels = frames_to_pixels(video.frames, (SIDE, SIDE), internvl_file.FAMILY.statistics)
    return text, {"pixel_values": pixels}


CASES = {
    case.name: case
    for case in (
        Case(
            "llava_onevision",
            onevision_file.FAMILY,
            build_onevision,
            one_vision,
            lambda lm: lm.model.vision_tower.encoder.layers[-1].self_attn,
        ),
        Case(
            "llava_next_video",
            llava_next_video.FAMILY,
            build_next_video,
            next_video,
            lambda lm: lm.model.vision_tower.encoder.layers[-2].self_attn,
            class_token=True,
        ),
        Case(
            "smolvlm",
            smolvlm.FAMILY,
            build_smolvlm,
            smol,
            lambda lm: lm.model.vision_model.encoder.layers[-1].self_attn,
        ),
        Case(
            "internvl",
            internvl_file.FAMILY,
            build_internvl,
            intern,
            lambda lm: lm.model.vision_tower.encoder.layer[-1].attention,
            class_token=True,
        ),
        Case(
            "qwen2_5_vl",
            qwen2_5_vl.FAMILY,
            build_qwen2_5,
            qwen2_5,
            lambda lm: lm.model.visual.blocks[-1].attn,
        ),
        Case(
            "qwen3_vl",
            replace(qwen3_vl.FAMILY, prune_from=2),
            build_qwen3,
            qwen3,
            lambda lm: lm.model.visual.blocks[-1].attn,
        ),
    )
}
