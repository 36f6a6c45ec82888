import { inspect } from 'node:util'

const SHOWN = '<secret>'

/**
 * A text that shows itself only to who asks for it by name: in logs, errors, JSON, templates and debuggers' listings
 * it is `<secret>`. A class, because only a private field stays out of spreads, clones and `Object.entries`.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself: for the one place that delivers it. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [Symbol.toPrimitive](): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}
