"""The compressors by name, all under one contract.

Knows what each is called, where it comes from and what it can reach; each lies in a file of its own
and loads on first use. Leaves answering to models/ and how far answers drift to fidelity.py.

How to use it, the same for every method:

    for name, method in METHODS.items():          # in the order of tables
        if method.reaches(retention, frames):     # else "-" in a table, greyed out in the page
            answers = ask(model, encoded, partial(method, encoded, retention), question)

`encoded` comes from `model.encode(video, attention=True)` where method.needs_attention. A method
called with (encoded, retention) gives what `model.answer` and `ask` take: a Compression, or an
InDecoder where method.inside, since only the decoder knows what it will keep. `ask` puts the
Compression of the kept tokens into Answer.compression as soon as the prefill has chosen them, so
overlays need no case of their own; its `after` says how many layers still read every token, and
`cost.visual_counts` gives the tokens of every layer. An exact method keeps target_count(retention,
T*N) tokens; the others come as near as they can: compare `kept` with `target`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from types import MappingProxyType

from scissor.types import Compression, Encoded, InDecoder


@dataclass(frozen=True)
class Method:
    """A compressor: what a table or a menu says of it, and the way to call it.

    line: one plain sentence. kind: "ours", "paper", "control" or "ablation" (ours with a part left
    out). source: an arXiv id, "" if it has none. needs_attention: it reads Encoded.attention.
    inside: it prunes in the decoder. exact: it meets every target it reaches. whole: it keeps the
    first of so many frames whole, 0 if none; this is its floor. home: its module and function.
    """

    name: str
    title: str
    line: str
    kind: str
    source: str = ""
    needs_attention: bool = False
    inside: bool = False
    exact: bool = True
    whole: int = 0
    home: str = ""

    def __call__(self, encoded: Encoded, retention: float) -> Compression | InDecoder:
        """Keep that share of a clip's tokens, or the nearest it can.

        Raises ValueError for a retention outside (0, 1] or below the floor, and where it needs
        attention that was not asked for.
        """
        if self.needs_attention and encoded.attention is None:
            raise ValueError(f"{self.title} reads attention: encode the clip with attention=True")
        if not self.reaches(retention, len(encoded.tokens)):
            floor = self.floor(len(encoded.tokens))
            raise ValueError(f"{self.title} keeps at least {floor:.0%} of this clip")
        module, function = self.home.split(":")
        return getattr(import_module(f"scissor.methods.{module}"), function)(encoded, retention)

    def floor(self, frames: int) -> float:
        """The lowest retention it is defined for in a clip of T frames; 0 if there is none."""
        return ceil(frames / self.whole) / frames if self.whole and frames else 0.0

    def reaches(self, retention: float, frames: int) -> bool:
        """Whether it is defined for that retention in a clip of T frames."""
        return retention >= self.floor(frames)


_TABLE = (
    Method(
        name="scc",
        title="SCC",
        line="Alike patches join within each frame, then across frames: one token a component.",
        kind="ours",
        source="2506.21862",
        home="scc:compress",
    ),
    Method(
        name="scc-even",
        title="SCC, evenly grown",
        line="Neighbouring patches join, alike and small ones first: no component grows huge.",
        kind="ours",
        home="even:compress",
    ),
    Method(
        name="scc-spatial",
        title="SCC, spatial only",
        line="Components within each frame alone; at least one token a frame.",
        kind="ablation",
        source="2506.21862",
        exact=False,
        home="scc:spatial",
    ),
    Method(
        name="scc-temporal",
        title="SCC, temporal only",
        line="Components of all frames' patches taken together, in one step.",
        kind="ablation",
        source="2506.21862",
        home="scc:temporal",
    ),
    Method(
        name="scc-unmerged",
        title="SCC, without the merge",
        line="Both steps, but no patch moves to the token it is most like in the end.",
        kind="ablation",
        source="2506.21862",
        home="scc:unmerged",
    ),
    Method(
        name="fastv",
        title="FastV",
        line="The language model reads every patch for two layers, then only those it attends to.",
        kind="paper",
        source="2403.06764",
        inside=True,
        home="fastv:compress",
    ),
    Method(
        name="visionzip",
        title="VisionZip",
        line="Patches that the vision tower attends to; the others averaged into a few.",
        kind="paper",
        source="2412.04467",
        needs_attention=True,
        home="visionzip:compress",
    ),
    Method(
        name="pllava",
        title="PLLaVA pooling",
        line="The clip on a coarser grid in time and space.",
        kind="paper",
        source="2404.16994",
        exact=False,
        home="pllava:compress",
    ),
    Method(
        name="dycoke",
        title="DyCoke merging",
        line="One frame in four stays whole; of the others goes what repeats an earlier frame.",
        kind="paper",
        source="2411.15024",
        whole=4,
        home="dycoke:compress",
    ),
    Method(
        name="frames",
        title="Whole frames",
        line="Frames evenly spread over the clip, all others dropped.",
        kind="control",
        exact=False,
        home="frames:compress",
    ),
    Method(
        name="pool",
        title="Average pooling",
        line="Every frame on a coarser grid.",
        kind="control",
        exact=False,
        home="pool:compress",
    ),
    Method(
        name="random",
        title="Random tokens",
        line="Patches drawn at random, without a look at them.",
        kind="control",
        home="random_tokens:compress",
    ),
    Method(
        name="uniform",
        title="Uniform tokens",
        line="Patches in equal steps through the clip, without a look at them.",
        kind="control",
        home="uniform:compress",
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _TABLE})
"""Every method by its name, in the order of tables; KeyError for an unknown name."""
