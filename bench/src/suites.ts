/** All suites, in the order in which `--suite all` runs them. */
import type { Suite } from './bench.ts'
import { batch } from './suites/batch.ts'
import { chains } from './suites/chains.ts'
import { coldStart } from './suites/cold-start.ts'
import { control, controlMongo } from './suites/control.ts'
import { cores } from './suites/cores.ts'
import { fanOut } from './suites/fan-out.ts'
import { fused } from './suites/fused.ts'
import { hop } from './suites/hop.ts'
import { load } from './suites/load.ts'
import { memory } from './suites/memory.ts'
import { overload } from './suites/overload.ts'
import { payload } from './suites/payload.ts'
import { peers } from './suites/peers.ts'
import { python } from './suites/python.ts'
import { stream } from './suites/stream.ts'
import { subscribers } from './suites/subscribers.ts'

export const SUITES: readonly Suite[] = [
  chains,
  hop,
  load,
  fused,
  fanOut,
  python,
  batch,
  payload,
  stream,
  cores,
  overload,
  memory,
  coldStart,
  control,
  controlMongo,
  subscribers,
  peers,
]

/** By the name of one, or `all`; none for another name. */
export function suitesBy(name: string): readonly Suite[] {
  if (name === 'all') return SUITES
  // Its cases are chains, and one of them is its usual use.
  const meant = name === 'chain' ? 'chains' : name
  return SUITES.filter((suite) => suite.name === meant)
}
