/** Why the cluster makes no pods for a Deployment, in a user's words. Pure. */
import type { V1Deployment } from '@kubernetes/client-node'

/** @returns null when nothing is known to be in the way. */
export function creationProblem({ status }: V1Deployment): string | null {
  const failure = status?.conditions?.find(
    ({ type, status: value }) => type === 'ReplicaFailure' && value === 'True',
  )
  if (failure === undefined) return null
  const message = failure.message ?? ''
  const quota = /exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: (.+)$/.exec(
    message,
  )
  if (quota !== null) {
    const [, name, requested, used, limited] = quota
    return `QuotaExceeded: quota "${name}" has no room: ${requested} is asked for, ${used} of ${limited} is in use; raise the quota, stop other versions, or ask for less`
  }
  const unsaid = /failed quota: ([^:]+): must specify (.+)$/.exec(message)
  if (unsaid !== null)
    return `QuotaExceeded: quota "${unsaid[1]}" lets in only pods that say ${unsaid[2]}: set it in the manifest, for all versions (resources.cpuLimitMillis), or by a LimitRange of the namespace`
  if (/violates PodSecurity|pod security/i.test(message))
    return `the namespace's Pod Security refuses the pod: ${message}`
  if (/is forbidden/.test(message)) return `the cluster refuses to make the pod: ${message}`
  return message === '' ? 'the cluster can make no pod, and does not say why' : message
}
