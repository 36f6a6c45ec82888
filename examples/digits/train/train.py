"""Trains the digit classifier and writes models/digits.onnx and held-out.json.

Data: the handwritten digits that scikit-learn carries (1,797 images of 8 x 8 pixels, grey values 0 to 16;
UCI optical recognition of handwritten digits). One fifth is held out, chosen by a fixed seed, never seen in training.

    pip install -r train/requirements.txt
    python train/train.py
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 7
HIDDEN = 48
GREY_MAX = 16.0
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data, digits.target, test_size=0.2, stratify=digits.target, random_state=SEED
    )
    model = MLPClassifier(hidden_layer_sizes=(HIDDEN,), alpha=1e-3, max_iter=400, random_state=SEED)
    model.fit(train_x / GREY_MAX, train_y)
    accuracy = model.score(test_x / GREY_MAX, test_y)

    (ROOT / "models").mkdir(exist_ok=True)
    onnx.save(to_onnx(model), ROOT / "models" / "digits.onnx")
    held_out = {
        "source": f"scikit-learn load_digits, one fifth held out with seed {SEED}",
        "accuracy": round(accuracy, 4),
        # Two hexadecimal digits per grey value, row by row.
        "images": [bytes(image.astype(np.uint8)).hex() for image in test_x],
        "labels": [int(label) for label in test_y],
    }
    (ROOT / "held-out.json").write_text(json.dumps(held_out, indent=0) + "\n")
    print(f"accuracy on {len(test_y)} held-out digits: {accuracy:.4f}")


def to_onnx(model: MLPClassifier) -> onnx.ModelProto:
    """pixels [n, 64] in 0..1 -> probabilities [n, 10]."""
    weights = [
        numpy_helper.from_array(array.astype(np.float32), name)
        for name, array in (
            ("w1", model.coefs_[0]),
            ("b1", model.intercepts_[0]),
            ("w2", model.coefs_[1]),
            ("b2", model.intercepts_[1]),
        )
    ]
    nodes = [
        helper.make_node("Gemm", ["pixels", "w1", "b1"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "w2", "b2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10])],
        initializer=weights,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="kre-digits")
    proto.ir_version = 9
    onnx.checker.check_model(proto)
    return proto


if __name__ == "__main__":
    main()
