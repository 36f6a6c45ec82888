"""A model for `krectl oip-check` against KServe's model server: two inputs, one of them texts, and two outputs.

KServe's server listens on all addresses of the machine.
"""

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.utils.utils import generate_uuid

SHAPE = [-1]


class Adder(Model):
    def __init__(self) -> None:
        super().__init__("adder")
        self.ready = True

    async def get_input_types(self) -> list[dict]:
        return [
            {"name": "numbers", "datatype": "INT64", "shape": SHAPE},
            {"name": "texts", "datatype": "BYTES", "shape": SHAPE},
        ]

    async def get_output_types(self) -> list[dict]:
        return [
            {"name": "sums", "datatype": "INT64", "shape": SHAPE},
            {"name": "greetings", "datatype": "BYTES", "shape": SHAPE},
        ]

    def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        inputs = {each.name: each.as_numpy() for each in payload.inputs}
        sums = inputs["numbers"] + 1
        greetings = [f"Hello {as_text(text)}" for text in inputs["texts"]]
        outputs = [
            InferOutput("sums", list(sums.shape), "INT64"),
            InferOutput("greetings", [len(greetings)], "BYTES"),
        ]
        binary = payload.use_binary_outputs
        outputs[0].set_data_from_numpy(sums, binary_data=binary)
        outputs[1].set_data_from_numpy(np.array(greetings, dtype=object), binary_data=binary)
        wanted = {each.name for each in payload.request_outputs or outputs}
        return InferResponse(
            response_id=payload.id or generate_uuid(),
            model_name=self.name,
            infer_outputs=[each for each in outputs if each.name in wanted],
        )


def as_text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    ModelServer(http_port=18090, grpc_port=18091, enable_grpc=True, workers=1).start([Adder()])
