"""From the start files to a trained, exported model, on as many GPUs as there are.

Knows processes, workers and devices. Leaves what is learned to run.py and what is seen to data.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from scissor.mini import Mini, build, load, save
from scissor.mini.loading import read_names, shipped
from scissor.mini.names import Names
from scissor.mini.tower import Seen, Tower
from scissor.training.album import Album
from scissor.training.align import StageA
from scissor.training.data import Mixture
from scissor.training.desk import Batch, Desk, Plan
from scissor.training.naming import Naming
from scissor.training.render import Atlas, paint
from scissor.training.run import StageB
from scissor.training.start import fold_tower, load_start

CLOSE_UPS = 2
"""Small frames of a step of naming, for each frame of the other stages' steps."""

GATHER = 64
"""Width of the keys by which the reader's cells share their evidence."""

MIRROR = 5 / 7
"""The part of the frame's side at which the branch sees it in a mirror."""

BRANCH = 2
"""The stage from which on drawn names have a tower of their own."""

FEWER_BITS = {
    **dict.fromkeys(("tower.stages.2", "tower.stages.3"), (8, 0)),
    **dict.fromkeys(("tower.stages.4", "tower.stages.5", "tower.stages.6"), (6, 32)),
    **dict.fromkeys(("tower.branch", "tower.head"), (6, 32)),
    **dict.fromkeys(("tower.classifier", "tower.branch.classifier"), (5, 32)),
    **dict.fromkeys(("reader", "decoder.model.embed_tokens"), (5, 32)),
}
"""How parts are stored once there is a branch, so that all fits: the public tower's classes then
lie 0.11 nats from what they are (24 photographs), of which 8 bits instead of 16 for the third and
fourth stage are 0.003."""


def quick_tower(tower: Tower, device: torch.device) -> Callable[[Tensor], Seen]:
    """A frozen copy of the tower; on a GPU in float16 and channels-last, and compiled.

    Its features change by 0.6% then, in bfloat16 by several times that.
    """
    tower = deepcopy(tower).requires_grad_(False).eval()
    if device.type != "cuda":
        return tower
    quick = tower.to(torch.float16, memory_format=torch.channels_last)
    quick.read = torch.compile(quick.read, dynamic=False)
    quick.mirrored = torch.compile(quick.mirrored, dynamic=False)
    return quick


def begin(folder: Path, drawn: Sequence[str], onward: bool, tower: Path | None = None) -> Mini:
    """The model to train: from the start files in `folder`, or the shipped one, to go on with.

    tower: EfficientNet-Lite0's public checkpoint, to read ImageNet's classes as it does again.
    """
    model = load().train().requires_grad_(True) if onward else load_start(folder)
    model = widen(model, drawn)
    if tower:
        renew(model, torch.load(tower, map_location="cpu", weights_only=True))
    return model


@torch.no_grad()
def renew(model: Mini, public: Mapping[str, Tensor]) -> None:
    """Give the model the public tower; its branch stays."""
    fresh = fold_tower(public, model.config)
    for name, weight in model.tower.named_parameters():
        if not name.startswith("branch"):
            weight.copy_(fresh[f"tower.{name}"])


def widen(model: Mini, drawn: Sequence[str]) -> Mini:
    """The model with a branch for the drawn names, which looks once more at the frame mirrored, and
    with cells that share their evidence; itself, where it is so.
    """
    config, names = model.config, [*model.class_names[: model.config.classes], *drawn]
    mirror = round(MIRROR * config.frame)
    more = {"drawn": len(drawn), "branch": BRANCH, "gather": GATHER, "mirror": mirror}
    wider = replace(config, **more, bits={**config.bits, **FEWER_BITS})
    known = model.class_names == names
    if known and config == wider:
        return model
    wide = build(wider, model.tokenizer, names)
    state, learned = model.state_dict(), config.branch and known
    if not learned:
        state = {name: w for name, w in state.items() if not name.startswith("tower.branch")}
    for part in ("tower.classifier.weight", "tower.classifier.bias"):
        state[part] = state[part][: config.classes]
    wide.load_state_dict(state, strict=False)
    if not learned:
        wide.tower.branch.begin(model.tower, known)
    wide.decoder.tie_weights()
    return wide.train().requires_grad_(True)


def set_up(album: Album, model: Mini, rank: int, world: int) -> Desk:
    """Everything on this process's device; the desk's tower is the model's, until it is learned."""
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", rank) if cuda else torch.device("cpu")
    model = model.to(device)
    atlas = Atlas.make(album.pictures, album.backgrounds).to(device)
    tokenizer = model.tokenizer
    names = Names(album.names, lambda text: tokenizer.encode(text, add_special_tokens=False))
    quick = torch.compile(paint, dynamic=False) if cuda else paint
    return Desk(model, model.tower, quick, atlas, names.to(device), device, rank, world)


def batches(desk: Desk, mixture: Mixture, workers: int) -> Iterator[Batch]:
    """Batches on the desk's device, made ahead by `workers` processes (0: by this one).

    They are forked, also where this process was spawned: none needs a copy of the pictures then.
    At once, not with the first batch: a fork while another thread (a gradient's message ends in
    one) enters Python leaves the worker stuck, so all are forked before anything is learned.
    """
    loader = torch.utils.data.DataLoader(
        mixture,
        batch_size=None,
        num_workers=workers,
        multiprocessing_context="fork" if workers else None,
        pin_memory=desk.device.type == "cuda",
        prefetch_factor=6 if workers else None,
        persistent_workers=workers > 0,
    )

    def here(batch: Batch) -> Batch:
        return {name: value.to(desk.device, non_blocking=True) for name, value in batch.items()}

    return map(here, loader)


def work(
    rank: int, world: int, plan: Plan, data: Path, out: Path, frames: int, workers: int
) -> None:
    """Process `rank` of `world`: all stages; the first one writes checkpoints and the export."""
    if world > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
        if cuda := torch.cuda.is_available():
            torch.cuda.set_device(rank)
        dist.init_process_group("nccl" if cuda else "gloo", rank=rank, world_size=world)
    torch.manual_seed(plan.seed + rank)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cuda.enable_cudnn_sdp(False)  # it plans anew for every length
    torch._dynamo.config.cache_size_limit = 64
    album = replace(Album.read(data, read_names(shipped())), sparing=not plan.every)
    desk = set_up(album, begin(data, album.drawn, plan.onward, plan.tower), rank, world)
    mixture = partial(Mixture, album, desk.model.tokenizer, rank=rank)
    single = {"lengths": {1: 1.0}, "questions": 0}
    mixtures = (
        mixture(3 * plan.seed, frames=CLOSE_UPS * frames, close=True, **single),
        mixture(3 * plan.seed + 1, frames=frames, **single),
        mixture(3 * plan.seed + 2, frames=frames),
    )
    close, pictures, clips = [batches(desk, one, workers) for one in mixtures]
    Naming(desk, plan, album).run(close)
    keep(desk, out)
    desk.tower = quick_tower(desk.model.tower, desk.device)
    StageA(desk, plan).run(pictures)
    keep(desk, out)
    StageB(desk, plan).run(clips, lambda: keep(desk, out))
    keep(desk, out)
    if world > 1:
        dist.destroy_process_group()


def keep(desk: Desk, out: Path) -> None:
    """Write the model as it will be shipped; only the first process does."""
    if desk.rank == 0:
        save(desk.model, out)


def launch(plan: Plan, data: Path, out: Path, frames: int, workers: int) -> None:
    """Train on every visible GPU (or slowly on the CPU) and write the model to `out`.

    data: the folder with the pack and, unless the plan goes onward, the start files. frames: drawn
    in a step, on one device. workers: processes that make scenes, for one device.
    """
    world = max(1, torch.cuda.device_count())
    args = (world, plan, data, out, frames, workers)
    if world == 1:
        work(0, *args)
    else:
        torch.multiprocessing.spawn(work, args, nprocs=world)
