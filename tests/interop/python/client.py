"""A grpcio client for the interop suite: operations are JSON lines on standard input, results are JSON lines on standard output."""

import base64
import json
import os
import queue
import sys
import threading

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

SERVING = health_pb2.HealthCheckResponse.ServingStatus.Name
CALL_TIMEOUT_S = 60

_channels: dict[tuple, grpc.Channel] = {}
_open: dict[int, list] = {}
_lock = threading.Lock()


def channel(address: str, index: int = 0, keepalive_ms: int | None = None) -> grpc.Channel:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    # Soon again after a refusal, as the server of a test comes back at once.
    options += [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
    if keepalive_ms is not None:
        options += [
            ("grpc.keepalive_time_ms", keepalive_ms),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
        ]
    key = (address, index, keepalive_ms)
    with _lock:
        if key not in _channels:
            _channels[key] = grpc.insecure_channel(address, options)
        return _channels[key]


def say(**line: object) -> None:
    with _lock:
        print(json.dumps(line), flush=True)


def outcome(future: grpc.Future) -> dict:
    # A cancelled future raises no RpcError; its call tells the status all the same.
    try:
        data = base64.b64encode(future.result()).decode()
    except (grpc.RpcError, grpc.FutureCancelledError):
        data = None
    trailers = {key: value for key, value in future.trailing_metadata() or () if isinstance(value, str)}
    return {
        "code": future.code().value[0],
        "message": future.details() or "",
        "data": data,
        "trailers": trailers,
        "errorInfo": error_info(future),
    }


def error_info(future: grpc.Future) -> dict | None:
    status = rpc_status.from_call(future)
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return {"reason": info.reason, "domain": info.domain, "metadata": dict(info.metadata)}
    return None


def call(op: dict) -> list[dict]:
    futures = []
    deadline_ms = op.get("deadlineMs")
    for index, payload in enumerate(op["payloads"]):
        target = channel(op["address"], index % op.get("channels", 1), op.get("keepaliveMs"))
        futures.append(
            target.unary_unary(op["path"]).future(
                base64.b64decode(payload),
                timeout=CALL_TIMEOUT_S if deadline_ms is None else deadline_ms / 1000,
                metadata=list(op.get("metadata", {}).items()),
                compression=grpc.Compression.Gzip if op.get("gzip") else None,
                wait_for_ready=op.get("waitForReady", False),
            )
        )
    _open[op["id"]] = futures
    return [outcome(future) for future in futures]


def reflect(op: dict, request: reflection_pb2.ServerReflectionRequest):
    # v1 has the messages of v1alpha under another name; the wire is the same.
    method = channel(op["address"]).stream_stream(
        f"/grpc.reflection.{op['version']}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return next(method(iter([request]), timeout=CALL_TIMEOUT_S))


def list_services(op: dict) -> list[str]:
    response = reflect(op, reflection_pb2.ServerReflectionRequest(list_services=""))
    return sorted(service.name for service in response.list_services_response.service)


def describe(op: dict) -> list[str]:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=op["service"])
    files = reflect(op, request).file_descriptor_response.file_descriptor_proto
    return [
        f"{method.name}: {method.input_type} -> {method.output_type}"
        for file in map(FileDescriptorProto.FromString, files)
        for service in file.service
        if f"{file.package}.{service.name}" == op["service"]
        for method in service.method
    ]


def check(op: dict) -> str:
    stub = health_pb2_grpc.HealthStub(channel(op["address"]))
    try:
        response = stub.Check(health_pb2.HealthCheckRequest(service=op["service"]), timeout=CALL_TIMEOUT_S)
    except grpc.RpcError as error:
        return f"code {error.code().value[0]}"
    return SERVING(response.status)


def watch(op: dict) -> str:
    stub = health_pb2_grpc.HealthStub(channel(op["address"]))
    responses = stub.Watch(health_pb2.HealthCheckRequest(service=op["service"]))
    _open[op["id"]] = [responses]
    try:
        for response in responses:
            say(id=op["id"], event=SERVING(response.status))
    except grpc.RpcError as error:
        return f"code {error.code().value[0]}"
    return "code 0"


OPERATIONS = {"call": call, "list": list_services, "describe": describe, "check": check, "watch": watch}


def run(op: dict) -> None:
    # Whatever goes wrong is the result of the operation, and the test's to judge.
    try:
        say(id=op["id"], result=OPERATIONS[op["op"]](op))
    except Exception as error:
        say(id=op["id"], error=f"{type(error).__name__}: {error}")
    finally:
        _open.pop(op["id"], None)


def work(operations: queue.SimpleQueue) -> None:
    while True:
        run(operations.get())


def main() -> None:
    operations: queue.SimpleQueue = queue.SimpleQueue()
    for _ in range(8):
        threading.Thread(target=work, args=(operations,), daemon=True).start()
    for line in sys.stdin:
        op = json.loads(line)
        if op["op"] == "cancel":
            for one in _open.get(op["target"], ()):
                one.cancel()
        else:
            operations.put(op)
    # Open calls would hold the interpreter's end; nobody waits for them any more.
    os._exit(0)


main()
