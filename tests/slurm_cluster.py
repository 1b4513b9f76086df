"""A real Slurm on one machine: munged, slurmctld and slurmd of Debian's slurm-wlm, until the block ends."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Seconds for the daemons to come up.
PATIENCE = 60
CONFIG = """
ClusterName=affect
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MailProg=/bin/true
MpiDefault=none
ReturnToService=2
SwitchType=switch/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which srun and sbatch reach it. Ends the program where it can't be started."""
    missing = [program for program in ("munged", "slurmctld", "slurmd", "srun") if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        sys.exit(f"it takes root and Debian's slurm-wlm and munge (apt-get install slurm-wlm munge): {missing}")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    folder.chmod(0o755)
    ports = dict(zip(("controller", "daemon"), _free_ports(2), strict=True))
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(host=socket.gethostname(), cpus=os.cpu_count(), folder=folder, **ports))
    environment = os.environ | {"SLURM_CONF": str(config)}
    munge = [f"--{name}={folder}/munge.{name.split('-')[0]}" for name in ("socket", "key-file", "log-file", "pid-file")]
    daemons = [["munged", "--foreground", "--force", *munge, f"--seed-file={folder}/munge.seed"]]
    daemons += [["slurmctld", "-D"], ["slurmd", "-D", "-N", socket.gethostname()]]
    with ExitStack() as stack:
        for daemon in daemons:
            process = subprocess.Popen(daemon, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            time.sleep(1)
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(
            ["srun", "true"], env=environment, capture_output=True, check=False, timeout=PATIENCE
        ).returncode:
            if time.monotonic() > deadline:
                sys.exit(f"Slurm does not start: {(folder / 'slurmctld.log').read_text()[-2000:]}")
            time.sleep(1)
        yield environment


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]
