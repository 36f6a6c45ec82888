"""Worker processes of the tests: started as the runner starts them, or forked, which takes a hundredth of the time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Protocol

from kre_runner.worker import run_worker

_SDK = str(Path(__file__).resolve().parent.parent)
# Compiled once for all workers of a test run.
_BYTECODE = tempfile.TemporaryDirectory(prefix="kre-pyc-")
_DESCRIPTORS_MAX = 256


class ChildProcess(Protocol):
    pid: int
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


def start_process(socket_path: str, base_path: Path, generated: Path) -> ChildProcess:
    """The command of the runner, with the environment that it gives."""
    return subprocess.Popen(
        [sys.executable, os.path.join(_SDK, "kre_runner", "__main__.py"), socket_path],
        cwd=base_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(generated), _SDK)),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPYCACHEPREFIX": _BYTECODE.name,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


class ForkedProcess:
    """The worker in a copy of this process, which has everything imported."""

    def __init__(self, socket_path: str, base_path: Path, generated: Path) -> None:
        stdout, child_stdout = os.pipe()
        stderr, child_stderr = os.pipe()
        self._code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.dup2(child_stdout, 1)
                os.dup2(child_stderr, 2)
                os.closerange(3, _DESCRIPTORS_MAX)
                os.chdir(base_path)
                sys.path.insert(0, str(generated))
                code = run_worker(socket_path)
            finally:
                os._exit(code)
        os.close(child_stdout)
        os.close(child_stderr)
        self.stdout: IO[bytes] | None = os.fdopen(stdout, "rb", 0)
        self.stderr: IO[bytes] | None = os.fdopen(stderr, "rb", 0)

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + (timeout or 60)
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise TimeoutError(f"process {self.pid} is still running")
            time.sleep(0.002)
        return code
