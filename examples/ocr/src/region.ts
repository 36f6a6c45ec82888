// Places in a picture: rectangles that may be turned.

export type Point = { x: number; y: number }
export type Size = { width: number; height: number }

/** From the corner where the text begins, the ways along its line and down its height. */
export type Region = { origin: Point; along: Point; down: Point }

/** Taller than this many times its width, text runs downwards; a single "1" or "l" stays below. */
const TALL = 2

/**
 * The rectangle of least area round the points, turned so that its text is read from left to right, or, when it is
 * tall, from top to bottom.
 */
export function smallestRegion(points: Point[]): Region {
  const hull = convexHull(points)
  let best = spanAlong(hull, { x: 1, y: 0 })
  for (const [i, point] of hull.entries()) {
    const next = hull[(i + 1) % hull.length] as Point
    const length = Math.hypot(next.x - point.x, next.y - point.y)
    if (length === 0) continue
    const region = spanAlong(hull, {
      x: (next.x - point.x) / length,
      y: (next.y - point.y) / length,
    })
    if (areaOf(region) < areaOf(best)) best = region
  }
  const { width, height } = sizeOf(best)
  return height > TALL * width ? turn(best) : best
}

export function sizeOf({ along, down }: Region): Size {
  return { width: Math.hypot(along.x, along.y), height: Math.hypot(down.x, down.y) }
}

/** The same place when everything is `x` times as wide and `y` times as high. */
export function scale({ origin, along, down }: Region, x: number, y: number): Region {
  const times = (point: Point): Point => ({ x: point.x * x, y: point.y * y })
  return { origin: times(origin), along: times(along), down: times(down) }
}

/** Moves all four sides outwards by `distance`. */
export function grow(region: Region, distance: number): Region {
  const { width, height } = sizeOf(region)
  const { origin, along, down } = region
  const [right, below] = [distance / width, distance / height]
  return {
    origin: {
      x: origin.x - along.x * right - down.x * below,
      y: origin.y - along.y * right - down.y * below,
    },
    along: { x: along.x * (1 + 2 * right), y: along.y * (1 + 2 * right) },
    down: { x: down.x * (1 + 2 * below), y: down.y * (1 + 2 * below) },
  }
}

/** The upright rectangle round it, inside a picture of this size. */
export function boxOf({ origin, along, down }: Region, { width, height }: Size) {
  const xs = [0, along.x, down.x, along.x + down.x].map((x) => clamp(origin.x + x, width))
  const ys = [0, along.y, down.y, along.y + down.y].map((y) => clamp(origin.y + y, height))
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top }
}

/** The rectangle round the points whose one side has the direction of a unit vector. */
function spanAlong(points: Point[], side: Point): Region {
  // Of the two sides the one nearer to the horizontal is the line of the text, and it goes to the right.
  const flat = Math.abs(side.x) >= Math.abs(side.y) ? side : { x: -side.y, y: side.x }
  const u = flat.x < 0 ? { x: -flat.x, y: -flat.y } : flat
  const v = { x: -u.y, y: u.x }
  const us = points.map(({ x, y }) => x * u.x + y * u.y)
  const vs = points.map(({ x, y }) => x * v.x + y * v.y)
  const [left, top] = [Math.min(...us), Math.min(...vs)]
  const [width, height] = [Math.max(...us) - left, Math.max(...vs) - top]
  return {
    origin: { x: left * u.x + top * v.x, y: left * u.y + top * v.y },
    along: { x: u.x * width, y: u.y * width },
    down: { x: v.x * height, y: v.y * height },
  }
}

function areaOf(region: Region): number {
  const { width, height } = sizeOf(region)
  return width * height
}

/** Begins at the top right corner and goes down. */
function turn({ origin, along, down }: Region): Region {
  return {
    origin: { x: origin.x + along.x, y: origin.y + along.y },
    along: down,
    down: { x: -along.x, y: -along.y },
  }
}

/** Andrew's monotone chain. */
function convexHull(points: Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y)
  const half = (ordered: Point[]): Point[] => {
    const chain: Point[] = []
    for (const point of ordered) {
      while (chain.length > 1 && !turnsLeft(chain.at(-2) as Point, chain.at(-1) as Point, point))
        chain.pop()
      chain.push(point)
    }
    return chain.slice(0, -1)
  }
  return [...half(sorted), ...half(sorted.toReversed())]
}

function turnsLeft(a: Point, b: Point, c: Point): boolean {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0
}

function clamp(value: number, highest: number): number {
  return Math.min(Math.max(value, 0), highest)
}
