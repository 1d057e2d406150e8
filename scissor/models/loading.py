"""From a name to a checkpoint's folder, and from the folder to a model whose weights are all there.

Knows the hub's cache, memory limits and what makes a load unfit. Leaves where weights go to the
families and transformers.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from scissor.mini.loading import shipped
from scissor.models import catalog, machine
from scissor.models.contract import ModelError

Progress = Callable[[float, str], object]
"""Told how far a load is: a fraction in [0, 1] and what is going on."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a model's files are and how it shall be loaded.

    name: for people to read. config: its config.json. four_bit: weights in 4 bits (bitsandbytes).
    """

    folder: Path
    name: str
    config: dict[str, Any]
    device: torch.device
    dtype: torch.dtype
    four_bit: bool = False


WANTED = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
log = logging.getLogger(__name__)


def name_of(name: str) -> str:
    """The name to show people for what load_model was given: never a path."""
    entry = catalog.find(name)
    if entry:
        return entry.name
    local = Path(name).expanduser()
    return local.resolve().name if name and local.is_dir() else name


def folder_of(name: str, progress: Progress | None = None) -> Path:
    """The folder with the checkpoint `name`: a catalog name, a hub repository or a local folder.

    Downloads it where needed. Raises ModelError if it cannot be had.
    """
    entry = catalog.find(name)
    local = Path(name).expanduser()
    if entry is None and name and local.is_dir():
        return local.resolve()
    if entry and entry.repository is None:
        return shipped()
    repository = entry.repository if entry else name
    if repository.count("/") != 1 or name.startswith((".", "/", "~")):
        known = ", ".join(entry.name for entry in catalog.ENTRIES)
        raise ModelError(
            f"{name!r} is neither a known model ({known}), nor a folder with a checkpoint, "
            "nor a hub repository (owner/name)."
        )
    revision = entry.revision if entry else "main"
    there = machine.cached_snapshot(repository, revision)
    return there or _download(repository, revision, progress)


def _download(repository: str, revision: str, progress: Progress | None) -> Path:
    from huggingface_hub import errors, snapshot_download

    if not machine.hub_reachable():
        why = "HF_HUB_OFFLINE is set" if machine.offline() else "the model hub cannot be reached"
        raise ModelError(
            f"{repository} is not on this machine and {why}; "
            "use the embedded model (mini) or a folder that holds the checkpoint."
        )
    tell = progress or (lambda fraction, phrase: None)
    tell(0.05, f"Downloading {repository}")
    bar = _bar(repository, tell)
    try:
        found = snapshot_download(
            repository, revision=revision, allow_patterns=WANTED, tqdm_class=bar
        )
        return Path(found)
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{repository} is gated: accept its terms on the hub, then set HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"The hub has no model {repository!r}; check the spelling, or set HF_TOKEN if private."
        ) from error
    except (OSError, errors.HfHubHTTPError) as error:
        raise ModelError(
            f"{repository} could not be downloaded ({type(error).__name__}); "
            "check the network and the disk, then try again."
        ) from error


def _bar(repository: str, tell: Progress) -> type:
    """A progress bar that prints nothing and tells how many bytes of a download are there."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs | {"file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            if self.unit == "B" and self.total:
                share = min(1.0, self.n / self.total)
                size = f"{self.n / 1e9:.2f} of {self.total / 1e9:.2f} GB"
                tell(0.05 + 0.5 * share, f"Downloading {repository}: {size}")
            return shown

    return Bar


def read_config(folder: Path) -> dict[str, Any]:
    """A checkpoint's config.json. Raises ModelError if there is none to read."""
    try:
        return json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder.name} has no readable config.json; it is not a checkpoint in transformers' "
            "format."
        ) from error


def load_tokenizer(folder: Path) -> Any:
    """The checkpoint's tokenizer. Raises ModelError if its files are missing."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder.name} has no tokenizer that can be read.") from error


def load_weights(
    kind: type[nn.Module],
    checkpoint: Checkpoint,
    *,
    strict: bool = False,
    unused: tuple[str, ...] = (),
    **options: Any,
) -> nn.Module:
    """A model of transformers' class `kind`, ready to answer; `options` go to from_pretrained.

    strict: refuse weights without use too. unused: weights that may be missing, set to zero.
    Raises ModelError if files are missing, memory is short, or any weight would stay random.
    """
    folder = checkpoint.folder
    if checkpoint.four_bit:
        options |= _four_bit(checkpoint)
    try:
        _check_room(checkpoint)
        with _quiet():
            model, info = kind.from_pretrained(
                folder,
                dtype=checkpoint.dtype,
                local_files_only=True,
                output_loading_info=True,
                **options,
            )
        _refuse_random(folder.name, info, strict, unused)
        for name in unused:
            model.get_parameter(name).data.zero_()
        return (model if checkpoint.four_bit else model.to(checkpoint.device)).eval()
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelError(
            f"Memory ran out while loading {folder.name}; close other programs or choose a "
            "smaller model."
        ) from error
    except ModelError:
        raise
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise ModelError(f"{folder.name} could not be loaded: its files are damaged.") from error


def _check_room(checkpoint: Checkpoint) -> None:
    """Raise ModelError if weight files are missing or the device has no room for them."""
    name, files = checkpoint.folder.name, machine.weight_files(checkpoint.folder)
    if not files:
        raise ModelError(f"{name} lacks weight files (model.safetensors or all its shards).")
    size = machine.count_parameters(files)
    how = {"four_bit": checkpoint.four_bit}
    reason = catalog.too_big(size, checkpoint.device, checkpoint.dtype, **how)
    if reason:
        raise ModelError(f"{name} does not fit. {reason} Choose a smaller model.")


def _four_bit(checkpoint: Checkpoint) -> dict[str, Any]:
    """from_pretrained's options for weights in 4 bits. Raises ModelError where they cannot be."""
    lost = [name for name in ("bitsandbytes", "accelerate") if find_spec(name) is None]
    if lost:
        raise ModelError(
            f"Weights in 4 bits need {' and '.join(lost)}: pip install {' '.join(lost)}"
        )
    if checkpoint.device.type != "cuda":
        raise ModelError("Weights in 4 bits need a CUDA device; leave them out on a CPU.")
    from transformers import BitsAndBytesConfig

    how = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=checkpoint.dtype)
    return {"quantization_config": how, "device_map": {"": checkpoint.device}}


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of transformers' own: `progress` tells, and error lines stand alone."""
    from transformers.utils import logging as theirs

    shown = theirs.is_progress_bar_enabled()
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            theirs.enable_progress_bar()


def _refuse_random(name: str, info: Any, strict: bool, unused: tuple[str, ...]) -> None:
    """Raise ModelError if a weight of the model was not in the checkpoint or had another shape."""

    def listed(*parts: str) -> list[str]:
        entries = (entry for part in parts for entry in info.get(part) or ())
        return sorted(str(entry[0] if isinstance(entry, tuple) else entry) for entry in entries)

    bad = [
        key
        for key in listed("missing_keys", "mismatched_keys", "error_msgs")
        if key not in unused or key in listed("mismatched_keys")
    ]
    if bad:
        raise ModelError(
            f"{name} does not hold all weights of its model ({len(bad)} missing or of another "
            f"shape, {bad[0]} first); answers would be random, so it is not used."
        )
    spare = listed("unexpected_keys")
    if spare and strict:
        raise ModelError(
            f"{name} holds {len(spare)} weights that its model has no use for ({spare[0]} first); "
            "it is another model than this adapter knows, so it is not used."
        )
    if spare:
        log.info("%s: weights without use: %s", name, spare[:5])
