import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'

type Me = {
  id: string
  accessLevel: string
  globalAccessLevel: string | null
  grants: { runtimeId: string; accessLevel: string }[] | null
}

export function whoamiCommand(program: Command, context: Context): void {
  program
    .command('whoami')
    .description('which engine is spoken to, and as whom')
    .action(async () => {
      const client = await connectEngine(context)
      const { me } = await client.graphql<{ me: Me | null }>(
        '{ me { id accessLevel globalAccessLevel grants { runtimeId accessLevel } } }',
      )
      const grants = (me?.grants ?? []).map((grant) => `${grant.runtimeId}=${grant.accessLevel}`)
      const rights = [me?.globalAccessLevel ?? [], ...grants].flat().join(' ')
      context.output.result(
        { url: client.url, user: me },
        `${me?.id ?? 'nobody'} at ${client.url}: ${rights || 'without rights'}`,
      )
    })
}
