import { createStore } from './store.ts'

export type Toast = {
  readonly id: number
  readonly kind: 'done' | 'error'
  readonly text: string
  /** What it is news of: newer ones take its place. */
  readonly topic?: string
  /** A way back, for example. A toast with one stays until somebody uses or closes it. */
  readonly action?: {
    readonly text: string
    /** @returns whether the toast has done its work. */
    readonly run: () => Promise<boolean>
  }
}

/** Errors stay until somebody closes them. */
const DONE_MS = 6_000
const TOASTS_MAX = 4
export const toasts = createStore<readonly Toast[]>([])
let lastId = 0

export function notify(toast: Omit<Toast, 'id'>): void {
  const id = (lastId += 1)
  const isOld = ({ topic }: Toast) => topic !== undefined && topic === toast.topic
  toasts.update((all) =>
    [...all.filter((other) => !isOld(other)), { ...toast, id }].slice(-TOASTS_MAX),
  )
  if (toast.kind === 'done' && toast.action === undefined) setTimeout(() => dismiss(id), DONE_MS)
}

export function dismiss(id: number): void {
  toasts.update((all) => all.filter((toast) => toast.id !== id))
}
