/** IEEE 754 half precision, as bits: ONNX Runtime's package takes no other form. */
const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

/** The nearest half, ties to even, as its bits. */
export function toHalf(value: number): number {
  single[0] = value
  const source = bits[0] as number
  const sign = (source >>> 16) & 0x8000
  const magnitude = source & 0x7fff_ffff
  if (magnitude >= 0x7f80_0000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00)
  // From here on the nearest half is infinite.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00
  if (magnitude >= 0x3880_0000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
    return sign | ((rounded - 0x3800_0000) >>> 13)
  }
  // Subnormal: in units of 2^-24. A double holds the product exactly.
  return sign | roundHalfToEven(Math.abs(single[0]) * 2 ** 24)
}

export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
