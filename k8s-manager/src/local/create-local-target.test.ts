import { targetConformance } from '../target-conformance.ts'
import { startLocalTarget } from '../testing/start-local-target.ts'

targetConformance('local', async () => {
  const started = await startLocalTarget()
  return {
    target: started.target,
    killReplica: async ({ replicas }, number) => {
      const pid = replicas.find(({ replica }) => replica === number)?.pid ?? null
      if (pid === null) throw new Error(`replica ${number} has no process`)
      process.kill(pid, 'SIGKILL')
    },
    [Symbol.asyncDispose]: async () => started[Symbol.asyncDispose](),
  }
})
