"""Many answers at once: prompts of different lengths side by side through a decoder.

Knows how prompts become the rows of a batch, each ending in its draft, and how the rows that leave
their drafts are written on in step. A row is padded on the left, and sees neither the padding nor
what the draft said beyond its own answer. Every answer is the one drafts.follow gives, to rounding.
For processors that wait for the next call rather than for numbers: a GPU. Leaves what a draft is to
drafts.py, and prompts that are pruned in the decoder to it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from scissor.models.decoding import Prompt, cached
from scissor.models.drafts import Followed, agreed

ROWS = 32_768
"""Positions of a batch, padding included: about 2 GB on the way through the embedded model."""
ALIGNED = 8  # positions: masks of such widths are read by the fast kernels without a copy


@torch.inference_mode()
def follow_all(
    lm: nn.Module,
    prompts: Sequence[Prompt],
    drafts: Sequence[Tensor],
    end: Iterable[int],
    *,
    max_new_tokens: int = 64,
    rows: int = ROWS,
) -> list[Followed]:
    """What drafts.follow gives for each prompt and its draft [A] int64, A at least 1; untimed.

    rows: positions of a batch; one prompt may have more. A batch for which a GPU's memory does not
    suffice is halved. Raises ValueError for prompts with positions or arguments of their own.
    """
    if any(prompt.positions is not None or prompt.extra for prompt in prompts):
        raise ValueError("only prompts that count from 0 can be read side by side")
    found: dict[int, Followed] = {}
    widths = [len(p) + len(d) - 1 for p, d in zip(prompts, drafts, strict=True)]
    waiting = list(reversed(list(_batches(widths, rows))))
    while waiting:
        batch = waiting.pop()
        chosen = [prompts[k] for k in batch], [drafts[k] for k in batch]
        try:
            told = _Batch(lm, *chosen).follow(frozenset(end), max_new_tokens)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise
            half = len(batch) // 2
            waiting += [batch[half:], batch[:half]]
        else:
            found.update(zip(batch, told, strict=True))
    return [found[k] for k in range(len(prompts))]


def _batches(widths: Sequence[int], rows: int) -> Iterator[list[int]]:
    """Indices by falling width, as many together as fit; every batch is as wide as its first."""
    batch: list[int] = []
    for k in sorted(range(len(widths)), key=lambda k: -widths[k]):
        if batch and (len(batch) + 1) * widths[batch[0]] > rows:
            yield batch
            batch = []
        batch.append(k)
    if batch:
        yield batch


class _Batch:
    """B prompts with their drafts. _seen: [B, W] bool, what the next token of a row may look at."""

    def __init__(self, lm: nn.Module, prompts: Sequence[Prompt], drafts: Sequence[Tensor]) -> None:
        from transformers import DynamicCache

        self._lm, self._prompts, self._drafts = lm, prompts, drafts
        self._device, self._type = prompts[0].embeds.device, prompts[0].embeds.dtype
        self._cache: Any = DynamicCache(config=lm.config.get_text_config(decoder=True))
        widths = [len(p) + len(d) - 1 for p, d in zip(prompts, drafts, strict=True)]
        self._width = -(-max(widths) // ALIGNED) * ALIGNED
        column = torch.arange(self._width)
        self._pad = self._width - torch.tensor(widths)
        self._seen = column >= self._pad[:, None]

    def follow(self, end: frozenset[int], max_new_tokens: int) -> list[Followed]:
        """Read prompts and drafts in one call, then write on where an answer is not yet whole."""
        logits = self._read()
        likeliest = logits.argmax(-1).tolist()
        spans = [len(draft) for draft in self._drafts]
        answers = [
            agreed(row[-span:], draft.tolist(), end, max_new_tokens)
            for row, span, draft in zip(likeliest, spans, self._drafts, strict=True)
        ]
        last = [row[-span:] for row, span in zip(logits, spans, strict=True)]
        scores = [row.log_softmax(-1).cpu() for row in last]
        del logits, last
        self._write(answers, end, max_new_tokens)
        return [Followed(ids, along, None) for ids, along in zip(answers, scores, strict=True)]

    def _read(self) -> Tensor:
        """[B, longest draft, V] float32: the logits at the last positions of every row."""
        table = self._lm.get_input_embeddings()
        width = self._prompts[0].embeds.shape[-1]
        size = len(self._prompts), self._width, width
        embeds = torch.zeros(size, dtype=self._type, device=self._device)
        for row, start, prompt, draft in zip(
            embeds, self._pad.tolist(), self._prompts, self._drafts, strict=True
        ):
            row[start : start + len(prompt)] = prompt.embeds[0]
            if len(draft) > 1:
                row[start + len(prompt) :] = table(draft[:-1].to(self._device))
        seen = self._seen.to(self._device)
        # what is padding looks at itself, so that nothing in it is NaN
        itself = torch.eye(self._width, dtype=torch.bool, device=self._device)
        before = torch.ones_like(itself).tril_()
        mask = self._bias(before & seen[:, None, None, :] | itself)
        positions = (torch.arange(self._width) - self._pad[:, None]).clamp_min(0)
        longest = max(len(draft) for draft in self._drafts)
        return self._forward(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=positions.to(self._device),
            logits_to_keep=longest,
        )

    def _write(self, answers: list[list[int]], end: frozenset[int], most: int) -> None:
        """Lengthen, in place, the answers that have not come to their ends."""

        def open_(ids: list[int]) -> bool:
            return ids[-1] not in end and len(ids) < most

        lengths = [len(prompt) for prompt in self._prompts]
        for seen, draft, ids in zip(self._seen, self._drafts, answers, strict=True):
            if unsaid := len(draft) - len(ids):
                seen[-unsaid:] = False
        rows = list(range(len(answers)))  # those that the cache holds
        while True:
            going = [at for at, k in enumerate(rows) if open_(answers[k])]
            if not going:
                return
            if len(going) < len(rows):
                rows = [rows[at] for at in going]
                self._seen = self._seen[going]
                self._cache.batch_select_indices(torch.tensor(going, device=self._device))
            self._seen = torch.nn.functional.pad(self._seen, (0, 1), value=True)
            places = [lengths[k] + len(answers[k]) - 1 for k in rows]
            logits = self._forward(
                input_ids=self._column([answers[k][-1] for k in rows]),
                attention_mask=self._bias(self._seen.to(self._device)[:, None, None, :]),
                position_ids=self._column(places),
            )
            for k, said in zip(rows, logits[:, -1].argmax(-1).tolist(), strict=True):
                answers[k].append(said)

    def _column(self, values: list[int]) -> Tensor:
        return torch.tensor(values, device=self._device)[:, None]

    def _bias(self, seen: Tensor) -> Tensor:
        """What attention adds to its scores, in either of transformers' back-ends."""
        lowest = torch.finfo(self._type).min
        return torch.zeros(seen.shape, dtype=self._type, device=self._device).masked_fill_(
            ~seen, lowest
        )

    def _forward(self, **inputs: Any) -> Tensor:
        return self._lm(**cached(self._lm, self._cache), **inputs).logits.float()
