"""Picks the most likely digit, keeps the prediction, and answers the caller."""

from public_input_pb2 import DigitPrediction, ModelOutput


async def default_handler(ctx, data):
    scores = ModelOutput()
    data.Unpack(scores)
    probabilities = list(scores.probabilities)
    label = max(range(len(probabilities)), key=probabilities.__getitem__)

    # Without a true label it can't count towards the accuracy; it is kept all the same.
    await ctx.prediction.save(
        predicted_value=str(label),
        true_value=scores.true_label,
        extra={"confidence": probabilities[label]},
        error="" if scores.true_label else "missing_values",
    )
    ctx.logger.info(f"digit {label} with {probabilities[label]:.1%}")
    await ctx.send_output(DigitPrediction(label=label, probabilities=probabilities))
