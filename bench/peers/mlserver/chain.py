"""Three MLServer servers, each of which calls the next by gRPC (Open Inference Protocol)."""

import json
import os
import subprocess
import sys
import tempfile

import grpc
from mlserver import MLModel
from mlserver.grpc import dataplane_pb2_grpc
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput


class Node(MLModel):
    async def load(self) -> bool:
        following = self.settings.parameters.extra["following"]
        self.stub = None
        if following:
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{following}")
            self.stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(channel)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        data, hops = payload.inputs
        count = int(hops.data[0]) + 1
        if self.stub is None:
            return InferenceResponse(
                model_name=self.name,
                outputs=[
                    ResponseOutput(name="data", shape=data.shape, datatype=data.datatype, data=data.data),
                    ResponseOutput(name="hops", shape=[1], datatype="INT32", data=[count]),
                ],
            )
        request = InferenceRequest(
            inputs=[data, RequestInput(name="hops", shape=[1], datatype="INT32", data=[count])]
        )
        response = await self.stub.ModelInfer(ModelInferRequestConverter.from_types(request, "chain", None))
        return ModelInferResponseConverter.to_types(response)


def write_server(folder: str, ports: tuple[int, int, int], following: int) -> None:
    http, rpc, metrics = ports
    settings = {
        "host": "127.0.0.1",
        "http_port": http,
        "grpc_port": rpc,
        "metrics_port": metrics,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "chain",
        "implementation": "chain.Node",
        "parameters": {"extra": {"following": following}},
    }
    os.makedirs(folder)
    for name, content in (("settings.json", settings), ("model-settings.json", model)):
        with open(os.path.join(folder, name), "w") as file:
            json.dump(content, file)


def main() -> None:
    """The first node's HTTP has the port; all others are those after it."""
    port = int(sys.argv[1])
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as home:
        servers = []
        for index in range(3):
            first = port + 3 * index
            folder = os.path.join(home, f"n{index + 1}")
            write_server(folder, (first, first + 1, first + 2), first + 4 if index < 2 else 0)
            servers.append(
                subprocess.Popen(
                    # Not by its script, whose first line names the folder that it was installed in.
                    [sys.executable, "-c", "from mlserver.cli import main; main()", "start", folder],
                    cwd=here,
                    env={**os.environ, "PYTHONPATH": here},
                    stdin=subprocess.DEVNULL,
                )
            )
        sys.stdin.read()
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait()


if __name__ == "__main__":
    main()
