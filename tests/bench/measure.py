"""Runs commands and measures them: wall time, processor time, peak memory; many contenders, round by round.

Each command is a process of its own and its figures are the kernel's, children it waited for included. Memory comes
from GNU time, which is small itself: Linux counts what a process held before exec, so a child of this program would
never show less than Python holds. A pipeline's processor time and peak memory are the sums over its commands: the peaks
need not meet, so the sum is an upper bound.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

GNU_TIME = "/usr/bin/time"
SHORT = 0.25  # seconds; what is shorter is repeated within a round
REPEATS = 5
SETTLES = 0.3  # seconds until a server has counted a session that ended
FOR_SIZE = "for its size"
ASIDE_ABOVE = 5.0  # seconds; what no goal is set against and takes longer is run once


class Failed(Exception):
    """A command that did not do its work: nobody's figure may come from it."""


@dataclass
class Command:
    """One command, or a pipeline of several; `stdin` and `stdout` are files."""

    stages: list
    stdin: Optional[Path] = None
    stdout: Optional[Path] = None
    cwd: Optional[Path] = None
    ends_with: int = 0  # the last stage's exit code, where it has done its work


@dataclass
class Contender:
    """One way to do a piece of work. `prepare` and `check` are not measured."""

    name: str
    commands: list
    output: Optional[Path] = None  # removed before each run
    prepare: Callable = lambda: None
    check: Callable = lambda text: None
    ours: bool = False
    once: bool = False  # wanted for its size: one run
    aside: bool = False  # shown for comparison, no goal is set against it
    note: str = ""


@dataclass
class Figures:
    seconds: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    elsewhere: list = field(default_factory=list)  # processor seconds of others on its behalf, where a meter tells
    peak: list = field(default_factory=list)
    bytes: Optional[int] = None
    ours: bool = False
    once: str = ""
    note: str = ""
    failed: str = ""


def run(command, environment, scratch):
    """Runs one command and returns (seconds, processor seconds, peak bytes, what it printed)."""
    log = scratch / "stderr"
    shown = scratch / "stdout"
    processes = []
    with (
        open(command.stdin or os.devnull, "rb") as stdin,
        open(command.stdout or shown, "wb") as stdout,
        open(log, "wb") as stderr,
    ):
        start = time.perf_counter()
        source = stdin
        for number, stage in enumerate(command.stages):
            last = number == len(command.stages) - 1
            process = subprocess.Popen(
                [GNU_TIME, "-q", "-f", "%M", "-o", scratch / f"peak-{number}", *(str(part) for part in stage)],
                stdin=source,
                stdout=stdout if last else subprocess.PIPE,
                stderr=stderr,
                cwd=command.cwd,
                env=environment,
            )
            if source is not stdin:
                source.close()
            source = process.stdout
            processes.append(process)
        cpu, codes = 0.0, []
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            codes.append(process.returncode)
            cpu += usage.ru_utime + usage.ru_stime
        seconds = time.perf_counter() - start
    text = "" if command.stdout else shown.read_text(errors="replace")
    if codes != [0] * (len(codes) - 1) + [command.ends_with]:
        words = " | ".join(Path(str(stage[0])).name for stage in command.stages)
        raise Failed(f"{words} ended with {codes}: {log.read_text(errors='replace').strip()[-400:]}")
    peak = sum(int((scratch / f"peak-{number}").read_text()) * 1024 for number in range(len(processes)))
    return seconds, cpu, peak, text


def remove(path):
    if path is None:
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_of(path):
    if path.is_dir():
        return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
    return path.stat().st_size


def warm(paths):
    """Reads files into the page cache, so that the first contender pays for no disk."""
    for path in paths:
        for file in [path] if path.is_file() else sorted(inner for inner in path.rglob("*") if inner.is_file()):
            with open(file, "rb") as stream:
                while stream.read(1 << 22):
                    pass


def one_run(contender, figures, environment, scratch, meter):
    remove(contender.output)
    contender.prepare()
    os.sync()  # nobody waits for what another one wrote
    metered = meter() if meter else None
    seconds = cpu = 0.0
    peak = 0
    text = ""
    for command in contender.commands:
        took, used, held, text = run(command, environment, scratch)
        seconds, cpu, peak = seconds + took, cpu + used, max(peak, held)
    if contender.output is not None:
        figures.bytes = size_of(contender.output)
        if figures.bytes == 0:
            raise Failed("it wrote nothing")
    if meter and seconds >= SHORT:
        time.sleep(SETTLES)
        figures.elsewhere.append(meter() - metered)
    contender.check(text)
    figures.seconds.append(seconds)
    figures.cpu.append(cpu)
    figures.peak.append(peak)


def in_rounds(contenders, rounds, once_above, environment, scratch, say, meter=None):
    """Runs all contenders of the same work, one after the other, `rounds` times; each round begins with another one.

    A peer that took more than `once_above` seconds, or is marked so, is run in the first round only; so is what no goal
    is set against above ASIDE_ABOVE. What takes less than SHORT seconds is repeated within the round, after the others
    had their turn. The last output of each stays for later work. `meter` gives the processor seconds that others have
    used so far, to be told beside each contender's own.
    """
    results = {contender.name: Figures(ours=contender.ours, note=contender.note) for contender in contenders}
    for number in range(rounds):
        turn = number % max(1, len(contenders))
        for repeat in range(REPEATS):
            for contender in contenders[turn:] + contenders[:turn]:
                figures = results[contender.name]
                last = figures.seconds[-1] if figures.seconds else None
                if figures.failed or (figures.once and number > 0) or (repeat > 0 and (figures.once or last >= SHORT)):
                    continue
                try:
                    one_run(contender, figures, environment, scratch, meter)
                except (Failed, OSError) as error:
                    figures.failed = str(error)
                    say(f"{contender.name}: FAILED: {error}")
                    continue
                if contender.once:
                    figures.once = FOR_SIZE
                elif rounds > 1 and contender.aside and figures.seconds[-1] > ASIDE_ABOVE:
                    figures.once = "no goal"
                elif rounds > 1 and not contender.ours and figures.seconds[-1] > once_above:
                    figures.once = f"longer than {once_above:g} s"
                if repeat == 0:
                    took, held = figures.seconds[-1], figures.peak[-1] / 1e6
                    say(f"round {number + 1}: {contender.name}: {took:.3f} s, {held:.0f} MB")
    return results
