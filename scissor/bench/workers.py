"""On which machine and by how many processes clips are measured.

Knows the arguments that say so, how several processes, each with a model of its own, share one
device, and what happens where one of them fails. Leaves what is measured
to measure.py, where rows are kept to accuracy.py.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch

from scissor.bench.measure import Condition, measure
from scissor.models.contract import ModelError, VideoLLM
from scissor.models.machine import pick_device, pick_dtype
from scissor.models.together import ROWS
from scissor.scenes import Clip, Library, Reader, exam_library

Todo = Sequence[tuple[Clip, Sequence[Condition]]]
MADE = {"device": "cpu", "dtype": "float32"}
"""What a run's header says of the machine, as it was where a header does not say it."""

MOST = 12
"""Workers on one GPU: each has a model and a context of its own there."""

SHARE = 0.85
"""Part of a GPU's memory that all workers' tensors may take; the rest is for their contexts."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--device, --dtype, --batch and --workers."""
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (cuda where there is one)")
    kinds = ["float32", "bfloat16", "float16"]
    parser.add_argument("--dtype", choices=kinds, help="the decoder's (bfloat16 on cuda)")
    batch = f"positions of a batch of answers, 0: no batches (on cuda {ROWS}, else 0)"
    parser.add_argument("--batch", type=int, metavar="POSITIONS", help=batch)
    workers = f"processes that share the clips (mini on cuda: one a core, {MOST} at most; else 1)"
    parser.add_argument("--workers", type=int, metavar="N", help=workers)


def made(args: argparse.Namespace) -> dict[str, str]:
    """What the header says of MADE; of a report only what is asked for."""
    if args.report:
        return {name: getattr(args, name) for name in MADE if getattr(args, name)}
    device, dtype = _chosen(args)
    return {"device": device.type, "dtype": str(dtype).removeprefix("torch.")}


def way(args: argparse.Namespace, each: Callable[..., Iterable[dict]]) -> dict[str, Any]:
    """accuracy.run's arguments that say how to measure: here, or by workers."""
    from scissor.models import load_model

    device, dtype = _chosen(args)
    quick = device.type == "cuda"
    rows = (ROWS if quick else 0) if args.batch is None else args.batch
    if each is measure and rows > 0:
        each = partial(measure, rows=rows)
    cores = min(MOST, max(1, (os.cpu_count() or 1) - 2))
    workers = args.workers or (cores if quick and args.model == "mini" else 1)
    if workers < 2:
        return {"model": load_model(args.model, device=device, dtype=dtype), "each": each}
    job = Job(args.model, str(device), dtype, args.library, args.frames, workers, each)
    return {"model": None, "spread": partial(spread, job)}


def _chosen(args: argparse.Namespace) -> tuple[torch.device, torch.dtype]:
    device = pick_device(args.device)
    return device, pick_dtype(device, getattr(torch, args.dtype) if args.dtype else None)


@dataclass(frozen=True)
class Job:
    """What a worker needs to know: what load_model gets, where the pictures are (None: the
    evaluation's), and how a clip is measured (`each`, as measure.measure, picklable).
    """

    model: str
    device: str
    dtype: torch.dtype
    library: Path | None
    frames: int
    workers: int
    each: Callable[..., Iterable[dict]] = measure


def spread(job: Job, todo: Todo) -> Iterator[dict]:
    """Yield the rows of all clips, each clip's as soon as it is measured, in no order.

    A clip that fails is told of and left out, the others go on. Raises ModelError in the end if
    there were any, or at once if more clips fail than there are workers.
    """
    spawned = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    failed: list[str] = []
    with ProcessPoolExecutor(job.workers, mp_context=spawned) as pool:
        waiting = {pool.submit(_measured, job, *one): one[0].index for one in todo}
        for done in as_completed(waiting):
            try:
                rows = done.result()
            except Exception as error:  # whatever happens there, the other clips are worth having
                failed.append(f"clip {waiting[done]}: {type(error).__name__}: {error}")
                print(f"\n{failed[-1]}", file=sys.stderr)
                if len(failed) > job.workers:
                    pool.shutdown(wait=False, cancel_futures=True)
                    break
                continue
            yield from rows
    if failed:
        raise ModelError(
            f"{len(failed)} clips could not be measured ({failed[0]}); with --out the same command "
            "goes on with them."
        )


def _measured(job: Job, clip: Clip, wanted: Sequence[Condition]) -> list[dict]:
    """In a worker: the rows of one clip."""
    model, library, reader = _ready(job)
    options = {"library": library, "reader": reader, "frames": job.frames}
    return list(job.each(model, clip, wanted, **options))


@lru_cache(maxsize=1)
def _ready(job: Job) -> tuple[VideoLLM, Library, Reader]:
    from scissor.models import load_model

    torch.set_num_threads(1)
    device = torch.device(job.device)
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(SHARE / job.workers, device.index)
    library = Library.open(job.library) if job.library else exam_library()
    model = load_model(job.model, device=device, dtype=job.dtype)
    return model, library, Reader(library.words)
