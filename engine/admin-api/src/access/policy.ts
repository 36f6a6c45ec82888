import type { AccessLevel } from '@kre/store'

/** What a rule asks of a caller. */
export type Rule = {
  /** What it is done on: one runtime, the engine as a whole, or the caller's own account. */
  readonly on: 'runtime' | 'engine' | 'self'
  readonly lowest: AccessLevel
  /**
   * Credentials that are good for it. `person`: a login or the development token, so that a token can't make itself
   * a stronger one; `owner`: the development token alone.
   */
  readonly credential: 'any' | 'person' | 'owner'
}

/** Everything that can be done, in KRE's words `<act> <resource>`, with who may. */
export const ACTIONS = {
  'view runtimes': onRuntime('VIEWER'),
  'view versions': onRuntime('VIEWER'),
  'view logs': onRuntime('VIEWER'),
  'edit log limits': onRuntime('MANAGER'),
  'view predictions': onRuntime('VIEWER'),
  'view measurements': onRuntime('VIEWER'),
  'view traffic': onRuntime('VIEWER'),
  // Contents of requests, and effects of a workflow: more than looking at what the engine counts.
  'view messages': onRuntime('MANAGER'),
  'call workflows': onRuntime('MANAGER'),
  'view documents': onRuntime('VIEWER'),
  'edit versions': onRuntime('MANAGER'),
  'view audit': onRuntime('MANAGER'),
  'view whole audit': onEngine('ADMIN'),
  'edit runtimes': onEngine('MANAGER'),
  'view metrics': onEngine('VIEWER'),
  'view engine': onEngine('ADMIN'),
  'edit engine': { on: 'engine', lowest: 'ADMIN', credential: 'owner' },
  'view users': onEngine('ADMIN'),
  'edit users': onEngine('ADMIN'),
  'view settings': onEngine('ADMIN'),
  'edit settings': onEngine('ADMIN'),
  'view account': { on: 'self', lowest: 'VIEWER', credential: 'any' },
  'view logins': { on: 'self', lowest: 'VIEWER', credential: 'person' },
  'edit logins': { on: 'self', lowest: 'VIEWER', credential: 'person' },
  'view API tokens': { on: 'self', lowest: 'VIEWER', credential: 'person' },
  'edit API tokens': { on: 'self', lowest: 'VIEWER', credential: 'person' },
  'make sign-in links': { on: 'engine', lowest: 'ADMIN', credential: 'owner' },
} as const satisfies Record<string, Rule>

export type Action = keyof typeof ACTIONS
type ActionOn<On extends Rule['on']> = {
  [A in Action]: (typeof ACTIONS)[A]['on'] extends On ? A : never
}[Action]
export type RuntimeAction = ActionOn<'runtime'>
export type OtherAction = Exclude<Action, RuntimeAction>

function onRuntime<L extends AccessLevel>(lowest: L) {
  return { on: 'runtime', lowest, credential: 'any' } as const
}

function onEngine<L extends AccessLevel>(lowest: L) {
  return { on: 'engine', lowest, credential: 'any' } as const
}
