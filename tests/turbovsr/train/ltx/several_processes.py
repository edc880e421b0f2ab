"""Run by test_processes.py: trains the same with one and two processes, and with four that resume what two began.

All are forked after one import. Arguments: a folder for what is found, then the words of a training command without
`out`. In `killed` two processes are killed with SIGKILL in step 3 and four resume.
"""

import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import torch
import torch._dynamo  # slow to import, which each process would do for itself
from torch.distributed import TCPStore

from turbovsr.train import stages
from turbovsr.train.composition import compose_plain
from turbovsr.train.config import build_config
from turbovsr.train.distributed import processes
from turbovsr.train.ltx.loop import ShardedLoop

CPU = torch.device("cpu")
KILLED_IN = 3
DIGITS = 8  # of a port, as it is told


def kill_in_step(step: int, met: Path, count: int) -> None:
    """Make this process kill itself in a step, once all have come so far: none still waits for another's answer."""
    backward = ShardedLoop._backward

    def dying(self, *arguments):
        if self.step + 1 == step:
            (met / str(os.getpid())).touch()
            while len(os.listdir(met)) < count:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        return backward(self, *arguments)

    ShardedLoop._backward = dying


def run(words: list[str], out: Path, count: int, killed: bool = False) -> list[int]:
    """Train in `count` forked processes; their exit codes, negative for signals.

    The store of the processes is the parent's, so that its port is its own, and begins after the last fork: a child
    would get the locks that the store's thread holds at that moment, and nobody to open them.
    """
    met, children = Path(tempfile.mkdtemp(dir=found)), []
    config = build_config(compose_plain([*words, f"out={out}"]))
    told, tell = os.pipe()
    for rank in range(count):
        child = os.fork()
        if child:
            children.append(child)
            continue
        code = 1
        try:
            launched = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": int(os.read(told, DIGITS)), "RANK": rank}
            own = launched | {"TORCHELASTIC_USE_AGENT_STORE": True, "WORLD_SIZE": count, "LOCAL_RANK": rank}
            os.environ |= {name: str(value) for name, value in own.items()}
            if killed:
                kill_in_step(KILLED_IN, met, count)
            with processes(CPU):
                stages.train(config, CPU)
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    os.write(tell, count * f"{store.port:{DIGITS}}".encode())
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    del store  # and its thread, before anything is forked again
    return codes


if __name__ == "__main__":
    found, given = Path(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    for number in (1, 2):
        assert run(given, found / str(number), number) == number * [0]
    assert run(given, found / "killed", 2, killed=True) == 2 * [-signal.SIGKILL]
    assert run(given, found / "killed", 4) == 4 * [0]
