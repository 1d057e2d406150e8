"""The command line: python -m scissor COMMAND ...

Knows arguments, printed lines and exit codes (2 for what the caller can mend). Leaves the work to
the package, which each command imports when it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from scissor.methods import Method
    from scissor.models import Answer, VideoLLM
    from scissor.types import Compression, Encoded, InDecoder, Video

DELEGATES = {"bench": "scissor.bench"}
"""Commands with arguments of their own: main(argv) of the module gets all that follows."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if argv and argv[0] in DELEGATES:
        return _guarded(lambda: import_module(DELEGATES[argv[0]]).main(argv[1:]))
    args = _parser().parse_args(argv)
    return _guarded(lambda: args.run(args))


def _guarded(run: Callable[[], int | None]) -> int:
    """Run; an error that the caller can mend becomes one line and exit code 2."""
    from torch import OutOfMemoryError

    from scissor.models.contract import ModelError

    try:
        return run() or 0
    except (MemoryError, OutOfMemoryError):
        print("scissor: memory ran out; use fewer frames or a smaller model", file=sys.stderr)
        return 2
    except (ValueError, OSError, ModelError) as error:
        print(f"scissor: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="scissor", description="See, feel and use video token compression.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("clip", metavar="CLIP", help="a video, GIF or picture")
    dial = shared.add_mutually_exclusive_group()
    dial.add_argument(
        "--retention", type=_between(0, 1, above=True), help="share of tokens to keep (0.1)"
    )
    dial.add_argument("--tau", type=_between(-1, 1), help="join tokens more alike than this cosine")
    shared.add_argument("--method", default="scc", metavar="NAME", help="a compressor (scc)")
    shared.add_argument("--model", default="mini", help="a known name, hub repository or folder")
    shared.add_argument("--frames", type=_positive, default=16, help="frames to sample (16)")
    compress = commands.add_parser(
        "compress", parents=[shared], help="write a clip's kept tokens and where they came from"
    )
    compress.add_argument("--out", required=True, type=Path, metavar="FILE.safetensors")
    compress.set_defaults(run=_compress)
    answer = commands.add_parser(
        "answer", parents=[shared], help="answer from the kept tokens, then from all"
    )
    answer.add_argument("question", metavar="QUESTION")
    answer.add_argument("--max-new-tokens", type=_positive, default=64)
    answer.set_defaults(run=_answer)
    _add_check(
        commands.add_parser("check", help="compare a checkpoint with transformers' own path")
    )
    _add_space(commands.add_parser("space", help="the hosted Space: check it, publish it"))
    for name in DELEGATES:
        commands.add_parser(name, help=f"see: scissor {name} --help", add_help=False)
    return parser


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a known name, hub repository or folder")
    parser.add_argument("--clip", help="a video, GIF or picture (one that comes along)")
    parser.add_argument("--frames", type=_positive, help="frames to sample (16)")
    parser.add_argument("--question", help="what to ask about it")
    parser.add_argument("--max-new-tokens", type=_positive, help="limit of an answer (32)")
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (cuda where there is one)")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--four-bit", action="store_true", help="weights in 4 bits (bitsandbytes)")
    parser.set_defaults(run=_check)


def _add_space(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser(
        "check", help="say where Spacefile, README.md, requirements.txt and code disagree"
    )
    check.add_argument(
        "--write", action="store_true", help="first put the Spacefile's front matter in README.md"
    )
    check.set_defaults(run=_space_check)
    publish = actions.add_parser("publish", help="create or update the Space on the hub")
    publish.add_argument("name", metavar="OWNER/NAME")
    publish.add_argument("--dry-run", action="store_true", help="list what would be sent")
    publish.set_defaults(run=_space_publish)


def _between(low: float, high: float, above: bool = False) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not (low < value if above else low <= value) or not value <= high:
            word = "above" if above else "at least"
            raise argparse.ArgumentTypeError(f"must be {word} {low} and at most {high}, not {text}")
        return value

    return number


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def _prepared(args: argparse.Namespace) -> tuple[Video, VideoLLM, Encoded, float]:
    """The clip, the model, the encoded clip and the seconds that encoding took."""
    from scissor.models import load_model
    from scissor.video import read_video

    looks = {"attention": True} if _method(args).needs_attention else {}
    video = read_video(args.clip, frames=args.frames)
    model = load_model(args.model)
    start = perf_counter()
    return video, model, model.encode(video, **looks), perf_counter() - start


def _method(args: argparse.Namespace) -> Method:
    from scissor.methods import METHODS

    if args.method not in METHODS:
        raise ValueError(f"there is no method {args.method}; there are {', '.join(METHODS)}")
    if args.tau is not None and args.method != "scc":
        raise ValueError("a threshold is for scc alone; give the others a --retention")
    return METHODS[args.method]


def _kept(args: argparse.Namespace, encoded: Encoded) -> Compression | InDecoder:
    """What the method keeps; scc meets a budget with one threshold, as nearly as that can."""
    from scissor.scc import compress

    if args.tau is not None:
        return compress(encoded, tau=args.tau)
    retention = 0.1 if args.retention is None else args.retention
    if args.method == "scc":
        return compress(encoded, retention=retention)
    return _method(args)(encoded, retention)


def _compress(args: argparse.Namespace) -> None:
    from scissor.export import write_tokens

    if not args.out.absolute().parent.is_dir():
        raise ValueError(f"there is no folder {args.out.parent} to write to")
    if _method(args).inside:
        raise ValueError(
            f"{args.method} chooses in the decoder, for a question: see scissor answer"
        )
    video, _, encoded, _ = _prepared(args)
    kept = _kept(args, encoded)
    write_tokens(args.out, kept, encoded, video.name)
    print(_counts(kept))
    print(f"written to {args.out}")


def _answer(args: argparse.Namespace) -> None:
    from scissor.models import ask_both

    video, model, encoded, seconds = _prepared(args)
    frames = f"{len(video.frames)} frame" + "s" * (len(video.frames) > 1)
    print(f"{video.name}: {frames}, encoded by {model.name} in {seconds:.2f} s")
    limits: dict[str, Any] = {"max_new_tokens": args.max_new_tokens}
    for side, answer in ask_both(
        model, encoded, lambda: _kept(args, encoded), args.question, **limits
    ):
        if answer.done:
            _print_answer(side, answer)


def _print_answer(side: str, answer: Answer) -> None:
    if side == "kept":
        print(_counts(answer.compression))
    first = "-" if answer.seconds_first is None else f"{answer.seconds_first:.2f} s"
    print(
        f"\n{side:4} {answer.kept:>6,} tokens   first word {first}   "
        f"total {answer.seconds_total:.2f} s\n{answer.text.strip()}"
    )


def _counts(kept: Compression) -> str:
    """tokens in -> after step 1 if there is one -> kept, and what was asked if it was not met."""
    before, middle, after = kept.counts
    asked = "" if kept.target in (None, after) else f", asked {kept.target:,}"
    taus = [tau for tau in (kept.tau_spatial, kept.tau_temporal) if tau is not None]
    tau = f", tau {' and '.join(f'{tau:.4f}' for tau in dict.fromkeys(taus))}" if taus else ""
    step = "" if middle == after else f"{middle:,} after step 1 -> "
    inside = f", from layer {kept.after + 1} on" if kept.after else ""
    return f"{before:,} tokens -> {step}{after:,} kept ({kept.retention:.1%}{asked}{tau}{inside})"


def _check(args: argparse.Namespace) -> int:
    import torch

    from scissor.check import check

    given = {name: value for name, value in vars(args).items() if value is not None}
    options = {name: value for name, value in given.items() if name not in ("run", "command")}
    if args.dtype:
        options["dtype"] = getattr(torch, args.dtype)
    report = check(**options, tell=lambda line: print(line, file=sys.stderr))
    print(report.text())
    return 0 if report.equal else 1


def _space_check(args: argparse.Namespace) -> int:
    from scissor.space import disagreements, write_front_matter

    if args.write:
        write_front_matter()
    wrong = disagreements()
    for line in wrong:
        print(line)
    if not wrong:
        print("Spacefile, README.md, requirements.txt and code agree.")
    return 1 if wrong else 0


def _space_publish(args: argparse.Namespace) -> None:
    from scissor.publish import describe, plan, publish

    planned = plan(args.name)
    if args.dry_run:
        print("\n".join(describe(planned)))
        return
    print(publish(planned, tell=print))
    for name in planned.space.secrets:
        print(f"{name} is not sent: set it in the Space's settings if it is wanted")


if __name__ == "__main__":
    sys.exit(main())
