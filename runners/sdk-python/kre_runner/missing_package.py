"""Tells the runner that this Python lacks what the worker needs. Uses the standard library only."""

from __future__ import annotations

import platform
import socket
import sys

from .frame_channel import FrameChannel
from .worker_frame import WORKER_PROTOCOL, Frame, Hello, Init, InitFailed


def report_missing_package(socket_path: str, error: ImportError) -> None:
    """Takes the worker's part in the handshake and fails it, so that the author reads why."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(socket_path)
    is_over = False

    def on_frame(frame: Frame) -> None:
        nonlocal is_over
        if not isinstance(frame, Init):
            return
        text = (
            f"{frame.handler_path}: {error}: the worker needs the package protobuf; "
            f"add it to the bundle's requirements, or install it for {sys.executable}"
        )
        channel.send(InitFailed(text, text))
        is_over = True

    def on_end(_error: Exception | None) -> None:
        nonlocal is_over
        is_over = True

    channel = FrameChannel(sock, on_frame, on_end)
    channel.send(Hello(WORKER_PROTOCOL, f"python {platform.python_version()}"))
    while not is_over:
        channel.pump()
    channel.flush_all()
