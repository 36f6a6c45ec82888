"""What Triton's own clients make of a server: `client.py ADDRESS STREAMING_ADDRESS` prints one JSON object."""

import json
import queue
import sys

import numpy as np
import tritonclient.grpc as grpc_client
import tritonclient.http as http_client
from tritonclient.grpc.model_config_pb2 import DataType
from tritonclient.utils import InferenceServerException

VALUES = {
    "floats": ("FP32", np.array([1.5, np.inf], np.float32)),
    "doubles": ("FP64", np.array([0.1])),
    "ints": ("INT32", np.array([-(2**31), 2**31 - 1], np.int32)),
    "longs": ("INT64", np.array([2**53 + 1, -(2**63)])),
    "uints": ("UINT32", np.array([2**32 - 1], np.uint32)),
    "ulongs": ("UINT64", np.array([2**64 - 1], np.uint64)),
    "flags": ("BOOL", np.array([True, False])),
    "texts": ("BYTES", np.array(["ä".encode(), b""], object)),
    "blobs": ("BYTES", np.array([b"\x00\xff"], object)),
    "scalar": ("INT64", np.array([5])),
    "text": ("BYTES", np.array([b"hi"], object)),
}


def inputs(module) -> list:
    made = []
    for name, (datatype, values) in VALUES.items():
        tensor = module.InferInput(name, list(values.shape), datatype)
        tensor.set_data_from_numpy(values)
        made.append(tensor)
    return made


def are_same(result) -> bool:
    return all(np.array_equal(result.as_numpy(name), values) for name, (_, values) in VALUES.items())


def refusal(call) -> str:
    try:
        call()
    except InferenceServerException as error:
        return f"{error.status()}: {error.message()}"
    return "accepted"


def infer(client, module) -> dict:
    more = {"request_id": "mine", "priority": 1, "parameters": {"color": "blue"}}
    result = client.infer("tensors", inputs(module), **more)
    wanted = client.infer("tensors", inputs(module), outputs=[module.InferRequestedOutput("ints")])
    response = result.get_response()
    return {
        "same": are_same(result),
        "id": response["id"] if isinstance(response, dict) else response.id,
        "ints": wanted.as_numpy("ints").tolist(),
        "others": wanted.as_numpy("floats") is not None,
        "unknown": refusal(lambda: client.infer("nobody", inputs(module))),
        "missing": refusal(lambda: client.infer("tensors", inputs(module)[1:])),
        "load": refusal(lambda: client.load_model("tensors")),
        "unload": refusal(lambda: client.unload_model("tensors")),
    }


def describe(client) -> dict:
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model": client.is_model_ready("tensors"),
    }


def describe_grpc(client) -> dict:
    config = client.get_model_config("tensors").config
    return {
        "index": [model.name for model in client.get_model_repository_index().models],
        "config": [tensor.name for tensor in config.input],
        "types": sorted({DataType.Name(tensor.data_type) for tensor in config.output}),
        "counted": client.get_inference_statistics("tensors").model_stats[0].inference_stats.success.count,
    }


def describe_http(client) -> dict:
    return {
        "index": [model["name"] for model in client.get_model_repository_index()],
        "config": [tensor["name"] for tensor in client.get_model_config("tensors")["input"]],
        "counted": client.get_inference_statistics("tensors")["model_stats"][0]["inference_stats"]["success"]["count"],
    }


def stream(address: str, models: list[str], final: bool, compression: str | None) -> list:
    answers: queue.SimpleQueue = queue.SimpleQueue()
    client = grpc_client.InferenceServerClient(address)
    client.start_stream(lambda result, error: answers.put((result, error)), compression_algorithm=compression)
    for index, model in enumerate(models):
        client.async_stream_infer(
            model, inputs(grpc_client), request_id=str(index), enable_empty_final_response=final
        )
    client.stop_stream()
    seen = []
    while not answers.empty():
        result, error = answers.get()
        if error is not None:
            seen.append({"error": error.message()})
            continue
        response = result.get_response()
        seen.append({
            "id": response.id,
            "final": response.parameters["triton_final_response"].bool_param,
            "same": are_same(result) if response.outputs else None,
        })
    client.close()
    return seen


def main() -> None:
    address, streaming = sys.argv[1:]
    by_grpc = grpc_client.InferenceServerClient(address)
    by_http = http_client.InferenceServerClient(address)
    report = {
        "grpc": {**infer(by_grpc, grpc_client), **describe(by_grpc), **describe_grpc(by_grpc)},
        "http": {**infer(by_http, http_client), **describe(by_http), **describe_http(by_http)},
        "gzip": are_same(
            by_http.infer("tensors", inputs(http_client), request_compression_algorithm="gzip")
        ),
        "stream": stream(address, ["tensors", "nobody", "tensors"], False, None),
        "compressed": stream(address, ["tensors", "tensors"], True, "gzip"),
        "decoupled": stream(streaming, ["tensors", "single"], True, None),
    }
    print(json.dumps(report))


main()
