// Both models were trained on pictures as OpenCV loads them: one plane a channel, blue first.
import { Tensor } from 'onnxruntime-node'
import type { Size } from './region.ts'

/** Of each plane, in the model's order; for values from 0 to 1. */
export type Norm = { mean: [number, number, number]; deviation: [number, number, number] }

/** @returns [1, 3, height, paddedWidth]; what is right of the picture is 0. */
export function pictureTensor(
  rgb: Uint8Array,
  { width, height }: Size,
  norm: Norm,
  paddedWidth = width,
): Tensor {
  const plane = paddedWidth * height
  const values = new Float32Array(3 * plane)
  for (let channel = 0; channel < 3; channel++) {
    const [mean, deviation] = [norm.mean[channel] as number, norm.deviation[channel] as number]
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = rgb[(y * width + x) * 3 + 2 - channel] as number
        values[channel * plane + y * paddedWidth + x] = (value / 255 - mean) / deviation
      }
    }
  }
  return new Tensor('float32', values, [1, 3, height, paddedWidth])
}
