"""A model for `krectl oip-check` against MLServer: two inputs, one of them texts, and two outputs."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Adder(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        inputs = {each.name: each for each in payload.inputs}
        numbers = NumpyCodec.decode_input(inputs["numbers"])
        texts = StringCodec.decode_input(inputs["texts"])
        outputs = [
            NumpyCodec.encode_output("sums", numbers + 1),
            StringCodec.encode_output("greetings", [f"Hello {text}" for text in texts]),
        ]
        wanted = {each.name for each in payload.outputs or outputs}
        return InferenceResponse(
            model_name=self.name,
            outputs=[each for each in outputs if each.name in wanted],
        )
