/**
 * The next steps for workloads on their way out. Pure, and asked again after each change, by whichever engine leads: that
 * a workload goes is written on its Deployment, so an engine that dies leaves nothing behind.
 */

export type RemovalFacts = {
  /** All of one group. */
  readonly workloads: readonly {
    /** Name of the Deployment. */
    readonly name: string
    readonly role: 'entrypoint' | 'node'
    readonly isRemoving: boolean
    /** That the Deployment asks for. */
    readonly replicas: number
    /** Pods that exist, ending ones included. */
    readonly pods: number
  }[]
}

export type RemovalPlan = {
  /** Deployments to ask for no pods any more. */
  readonly drain: readonly string[]
  /** Deployments to delete: they have no pods. */
  readonly remove: readonly string[]
  /** Whether nothing keeps the owner object any more. */
  readonly removesGroup: boolean
}

/** Entrypoints go first: what they have taken still needs the nodes. */
export function planRemoval({ workloads }: RemovalFacts): RemovalPlan {
  const leaving = workloads.filter(({ isRemoving }) => isRemoving)
  const isServing = leaving.some(
    ({ role, pods, replicas }) => role === 'entrypoint' && pods + replicas > 0,
  )
  const mayGo = leaving.filter(({ role }) => role === 'entrypoint' || !isServing)
  const remove = mayGo.filter(({ replicas, pods }) => replicas === 0 && pods === 0)
  return {
    drain: mayGo.filter(({ replicas }) => replicas > 0).map(({ name }) => name),
    remove: remove.map(({ name }) => name),
    removesGroup: remove.length === workloads.length,
  }
}
