"""Overhead of the harness: a timed call that does nothing, with and without announced stages.

python -m studies.overhead
"""

from __future__ import annotations

import torch

from bench.timing.measure import Limits, Session, take_turns
from bench.timing.stats import median, quartiles
from frames.command_line import Parser, guarded, process
from frames.errors import OK
from turbovsr.devices import chosen


def main() -> int:
    parser = Parser("python -m studies.overhead", (__doc__ or "").strip())
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    device = chosen(arguments.device)
    frame = torch.zeros(1, 3, 8, 8, dtype=torch.uint8, device=device)

    def empty(stages, warm_up):
        return frame

    def staged(stages, warm_up):
        for name in ("condition", "denoise", "decode"):
            with stages(name):
                pass
        return frame

    limits = Limits(warmup=5, repeats=arguments.repeats, budget_s=60)
    sessions = {
        name: Session(call, "tensors", device, limits)
        for name, call in (("no stages", empty), ("three stages", staged))
    }
    take_turns(list(sessions.values()))
    for name, session in sessions.items():
        times = [1e6 * repetition.total_s for repetition in session.result.repetitions]
        low, high = quartiles(times)
        print(f"{name:13} {median(times):7.2f} us a call inside the clock (quartiles {low:.2f} to {high:.2f})")
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.overhead", main))
