"""A SLURM cluster of one node on this machine: slurmctld and slurmd of Debian, no munge, ports of 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.ports import BLOCK, free_block

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")

CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SrunPortRange={first}-{last}
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait=10
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} SocketsPerBoard=1 CoresPerSocket={cpus} ThreadsPerCore=1
PartitionName=tests Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def absent() -> str:
    """What a cluster lacks here; empty where nothing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return (
            f"SLURM is not here ({missing[0]}: apt-get install slurmctld slurmd slurm-client slurm-wlm-basic-plugins)"
        )
    return "" if os.geteuid() == 0 else "slurmctld is started as root"


class Cluster:
    """Two programs and their folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        self.conf = folder / "slurm.conf"
        host = socket.gethostname().split(".")[0]
        controller = free_block()
        self.conf.write_text(
            CONF.format(
                host=host,
                folder=folder,
                controller=controller,
                node=controller + 1,
                first=controller + 2,
                last=controller + BLOCK - 1,
                cpus=os.cpu_count(),
            )
        )
        self.node = host
        self._programs: list[subprocess.Popen] = []

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SLURM_CONF": str(self.conf)}

    def start(self) -> None:
        for program in (["slurmctld", "-D", "-i"], ["slurmd", "-D", "-N", self.node]):
            said = open(self.folder / f"{program[0]}.out", "wb")
            self._programs.append(
                subprocess.Popen([*program, "-f", str(self.conf)], env=self.environment, stdout=said, stderr=said)
            )
        self.until(lambda: "idle" in self("sinfo", "-h", "-o", "%T"))

    def __call__(self, *command: str) -> str:
        """A command's answer."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300)
        return done.stdout + done.stderr

    def until(self, holds, seconds: float = 600) -> None:
        """Wait until something holds.

        Raises:
            AssertionError: it does not; with the last words of both programs.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.3)
        logs = "\n".join(
            file.read_text(errors="replace")[-1500:] for file in sorted(self.folder.glob("*.log")) if file.is_file()
        )
        raise AssertionError(f"{self('squeue')}\n{self('sinfo')}\n{logs}")

    def stop(self) -> None:
        self("scancel", "--full", "-u", "root")
        for program in reversed(self._programs):
            program.terminate()
        for program in self._programs:
            try:
                program.wait(20)
            except subprocess.TimeoutExpired:
                program.kill()
