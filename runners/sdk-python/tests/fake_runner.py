"""The runner's side of worker.proto, for tests: a Unix socket, a bundle in a folder and a real worker process."""

from __future__ import annotations

import json
import os
import select
import socket
import tempfile
import textwrap
from pathlib import Path
from typing import Any, Callable, TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage

from kre_runner.frame_codec import encode_frame
from kre_runner.frame_decoder import FrameDecoder
from kre_runner.worker_frame import (
    Call,
    CallResult,
    Cancel,
    Done,
    Drain,
    Failed,
    Frame,
    Handle,
    Hello,
    Init,
    InitDone,
    InitFailed,
    Loaded,
    Log,
    Output,
)

from .child_process import ChildProcess, ForkedProcess, start_process
from .protos import DESCRIPTOR_SET, write_pb2

F = TypeVar("F", bound=Frame)
_TIMEOUT_SECONDS = 20.0


class WorkerGone(Exception):
    """The worker closed its end."""


class FakeRunner:
    """Use as a context manager: the worker is ended with it."""

    def __init__(
        self,
        handler: str | None,
        files: dict[str, str] | None = None,
        *,
        forked: bool = True,
        generated_files: dict[str, str] | None = None,
        **init: Any,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kre-")
        self.base_path = Path(self._folder.name, "bundle")
        handler_path = init.pop("handler_path", "src/node/node.py")
        written = {} if handler is None else {handler_path: handler}
        self.base_path.mkdir()
        _write_files(self.base_path, {**written, **(files or {})})
        generated = Path(self._folder.name, "generated")
        write_pb2(generated)
        _write_files(generated, generated_files or {})
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = os.path.join(self._folder.name, "worker.sock")
        self._server.bind(path)
        self._server.listen(1)
        start = ForkedProcess if forked else start_process
        self.process: ChildProcess = start(path, self.base_path, generated)
        self._server.settimeout(_TIMEOUT_SECONDS)
        self._socket, _ = self._server.accept()
        self._socket.settimeout(_TIMEOUT_SECONDS)
        self._decoder = FrameDecoder()
        self.frames: list[Frame] = []
        """What the worker sent and no one took."""
        self.services: dict[str, Callable[[dict[str, Any], bytes], Any]] = {}
        self._next_id = 1
        self.hello = self.take(Hello)
        self.init = Init(
            **{
                "base_path": str(self.base_path),
                "handler_path": handler_path,
                "node": "etl",
                "node_name": "ETL",
                "workflow": "go",
                "version": "v1",
                "concurrency": 1,
                "request_type": "demo.Request",
                "response_type": "demo.Response",
                "descriptor_set": DESCRIPTOR_SET,
                "object_store": True,
                **init,
            }
        )
        self.send(self.init)

    def __enter__(self) -> FakeRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._server.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self._folder.cleanup()

    def start(self) -> InitDone:
        """Waits for InitDone; answers the services that ``init`` calls."""
        self._take_or_fail(Loaded)
        return self._take_or_fail(InitDone)

    def _take_or_fail(self, kind: type[F]) -> F:
        frame = self.take(kind, InitFailed)
        if isinstance(frame, InitFailed):
            raise AssertionError(f"init failed: {frame.text}\n{frame.stack}")
        return frame

    def send(self, frame: Frame) -> None:
        self._socket.sendall(b"".join(encode_frame(frame)))

    def take(self, *kinds: type[F], call_id: int | None = None) -> F:
        """The next frame of one of the kinds, and of the call where one is given; others wait in ``frames``."""
        while True:
            for index, frame in enumerate(self.frames):
                wanted = call_id is None or getattr(frame, "call_id", None) == call_id
                if isinstance(frame, kinds) and wanted:
                    return self.frames.pop(index)
            self.receive()

    def receive(self) -> None:
        piece = self._socket.recv(1024 * 1024)
        if piece == b"":
            raise WorkerGone()
        for frame in self._decoder.feed(piece):
            answer = (
                self.services.get(f"{frame.service}.{frame.method}")
                if isinstance(frame, Call)
                else None
            )
            if isinstance(frame, Call) and answer is not None:
                self._answer(frame, answer)
            self.frames.append(frame)

    def handle(self, message: Any = None, **given: Any) -> int:
        """Sends a message to the handler; returns the call's id."""
        call_id = self._next_id
        self._next_id += 1
        payload: dict[str, Any] = {}
        if message is not None:
            packed = AnyMessage()
            packed.Pack(message)
            payload = {"type_url": packed.type_url, "value": packed.value}
        fields = {
            "request_id": "r-1",
            "from_node": "entrypoint",
            "message_type": 1,
            "attempt": 1,
            **payload,
            **given,
        }
        self.send(Handle(call_id=call_id, **fields))
        return call_id

    def outcome(self, call_id: int) -> tuple[list[Output], Done | Failed]:
        """The call's outputs and its end."""
        end = self.take(Done, Failed, call_id=call_id)
        outputs = [
            frame for frame in self.frames if isinstance(frame, Output) and frame.call_id == call_id
        ]
        self.frames = [frame for frame in self.frames if frame not in outputs]
        return outputs, end

    def run(self, message: Any = None, **given: Any) -> list[Output]:
        """Handles a message and returns its outputs. Raises AssertionError when the handler fails."""
        outputs, end = self.outcome(self.handle(message, **given))
        if isinstance(end, Failed):
            raise AssertionError(f"the handler failed: {end.text}\n{end.stack}")
        return outputs

    def fail(self, message: Any = None, **given: Any) -> Failed:
        """Handles a message and returns its failure."""
        outputs, end = self.outcome(self.handle(message, **given))
        if isinstance(end, Done):
            raise AssertionError(f"the handler did not fail; it sent {outputs}")
        return end

    def logs(self) -> list[tuple[str, str]]:
        return [(frame.level, frame.text) for frame in self.frames if isinstance(frame, Log)]

    def calls(self) -> list[Call]:
        return [frame for frame in self.frames if isinstance(frame, Call)]

    def cancel(self, call_id: int) -> None:
        self.send(Cancel(call_id))

    def drain(self) -> int:
        self.send(Drain())
        return self.process.wait(_TIMEOUT_SECONDS)

    def hang_up(self) -> None:
        self._socket.close()

    def stdout_line(self) -> str:
        return self._line(self.process.stdout)

    def stderr_line(self) -> str:
        return self._line(self.process.stderr)

    def _line(self, stream: Any) -> str:
        ready, _, _ = select.select([stream], [], [], _TIMEOUT_SECONDS)
        return stream.readline().decode().rstrip("\n") if ready else ""

    def _answer(self, frame: Call, answer: Callable[[dict[str, Any], bytes], Any]) -> None:
        try:
            result = answer(json.loads(frame.arguments), bytes(frame.data))
        except Exception as error:
            status_code = getattr(error, "status_code", 0)
            self.send(CallResult(frame.id, error=str(error), status_code=status_code))
            return
        if isinstance(result, bytes):
            self.send(CallResult(frame.id, result="null", data=result))
        else:
            self.send(CallResult(frame.id, result=json.dumps(result)))


def _write_files(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
