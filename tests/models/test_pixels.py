"""Pixels equal those of the families' PIL image processors, to one grey level."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scissor.models import smolvlm
from scissor.models.pixels import (
    CLIP,
    HALF,
    IMAGENET,
    Statistics,
    central_square,
    cut_patches,
    frames_to_pixels,
    normalised,
    patch_size,
    resized,
    statistics_of,
)

SHAPES = [(90, 160), (160, 90), (121, 121), (33, 47)]


@pytest.fixture(params=SHAPES, ids=str)
def frames(request):
    height, width = request.param
    frames = np.random.default_rng(1).integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    frames[1] = np.linspace(0, 255, width).astype(np.uint8)[None, :, None]
    return frames


def grey_levels(got, want, statistics):
    """The largest difference, in levels of 255."""
    return float((got - want).abs().max()) * 255 * max(statistics.std)


def theirs(processor, frames):
    return processor(images=list(frames), return_tensors="pt")["pixel_values"]


def test_onevision(frames):
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    want = theirs(SiglipImageProcessorPil(size={"height": 384, "width": 384}), frames)
    got = frames_to_pixels(frames, (384, 384))
    assert got.shape == want.shape
    assert grey_levels(got, want, HALF) <= 1 + 1e-3


def test_llava_next_video(frames):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    size = {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}
    want = theirs(CLIPImageProcessorPil(**size), frames)
    got = normalised(central_square(frames, 336), CLIP)
    assert got.shape == want.shape
    assert grey_levels(got, want, CLIP) <= 1 + 1e-3


def test_smolvlm(frames):
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    edge = {"longest_edge": 512}
    processor = SmolVLMImageProcessorPil(size=edge, max_image_size=edge, do_image_splitting=False)
    want = processor(images=[[frame] for frame in frames], return_tensors="pt")["pixel_values"]
    got = smolvlm.smol_pixels(frames, 512, HALF)
    assert got.shape == want[:, 0].shape
    assert grey_levels(got, want[:, 0], HALF) <= 1 + 1e-3


def test_internvl(frames):
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import (
        GotOcr2ImageProcessorPil,
    )

    processor = GotOcr2ImageProcessorPil(
        size={"height": 448, "width": 448},
        image_mean=IMAGENET.mean,
        image_std=IMAGENET.std,
        crop_to_patches=False,
    )
    want = theirs(processor, frames)
    got = frames_to_pixels(frames, (448, 448), IMAGENET)
    assert got.shape == want.shape
    assert grey_levels(got, want, IMAGENET) <= 1 + 1e-3


@pytest.mark.parametrize(("patch", "statistics"), [(14, CLIP), (16, HALF)])
def test_qwen(frames, patch, statistics):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    unit = patch * 2
    limits = {"shortest_edge": 128 * unit**2, "longest_edge": 256 * unit**2}
    processor = Qwen2VLImageProcessorPil(
        size=limits,
        patch_size=patch,
        temporal_patch_size=2,
        merge_size=2,
        image_mean=statistics.mean,
        image_std=statistics.std,
    )
    out = processor(images=list(frames), return_tensors="pt")
    size = patch_size(*frames.shape[1:3], unit, (128, 256))
    assert [1, size[0] // patch, size[1] // patch] == out["image_grid_thw"][0].tolist()
    twice = np.repeat(frames, 2, axis=0)  # a picture is a temporal step of two equal frames
    got = cut_patches(normalised(resized(twice, size), statistics), patch, 2, 2)
    assert got.shape == out["pixel_values"].shape
    assert grey_levels(got, out["pixel_values"], statistics) <= 1 + 1e-3


@given(height=st.integers(16, 2304), width=st.integers(16, 4096))
def test_sizes_are_whole_and_bounded(height, width):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    if max(height, width) > 200 * min(height, width):
        with pytest.raises(ValueError, match="200 times"):
            patch_size(height, width, 28, (128, 256))
        return
    got = patch_size(height, width, 28, (128, 256))
    assert got == smart_resize(height, width, 28, 128 * 28 * 28, 256 * 28 * 28)
    assert not any(edge % 28 for edge in got)


def test_frames_of_a_step_stand_one_after_the_other_in_a_patch():
    frames = torch.arange(4.0)[:, None, None, None].expand(4, 3, 8, 8).contiguous()
    patches = cut_patches(frames, 4, 2, 2)
    assert patches.shape == (2 * 4, 3 * 2 * 16)
    steps = patches.reshape(2, 4, 3, 2, 16)
    assert steps[0].unique().tolist() == [0, 1]
    assert (steps[1, :, :, 1] == 3).all()


def test_a_checkpoints_own_statistics_come_first(tmp_path):
    assert statistics_of(tmp_path, HALF) == HALF
    image = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": image}))
    assert statistics_of(tmp_path, HALF) == Statistics((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 3}))
    assert statistics_of(tmp_path, HALF).mean == (0.1, 0.2, 0.3)
    video = {"image_mean": [0.7, 0.7, 0.7], "image_std": [0.8, 0.8, 0.8]}
    (tmp_path / "video_preprocessor_config.json").write_text(json.dumps(video))
    assert statistics_of(tmp_path, HALF).mean == (0.7, 0.7, 0.7)
