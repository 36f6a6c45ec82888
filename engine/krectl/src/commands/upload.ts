import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { table } from '../output/output.ts'

type Upload = {
  id: string
  bytes: number
  received: number
  sha256: string | null
  expiresAt: string
}

export function uploadCommands(program: Command, context: Context): void {
  const upload = program
    .command('upload')
    .description('your uploads in parts that are not over: "version create" goes on with them')

  upload
    .command('list')
    .description('your uploads to a runtime; they are kept for a day')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async ({ runtime }: { runtime: string }) => {
      const client = await connectEngine(context)
      const { uploads } = await client.rest<{ uploads: Upload[] }>('GET', uploadsPath(runtime))
      const rows = uploads.map((one) => [
        one.id,
        `${one.received} of ${one.bytes} bytes`,
        one.expiresAt,
        one.sha256 ?? '-',
      ])
      context.output.result(uploads, table(['ID', 'THERE', 'UNTIL', 'SHA256'], rows, 'No uploads.'))
    })

  upload
    .command('delete <id>')
    .description('give an upload up: its parts are removed')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (id: string, { runtime }: { runtime: string }) => {
      const client = await connectEngine(context)
      await client.head('DELETE', `${uploadsPath(runtime)}/${encodeURIComponent(id)}`, {
        headers: { 'tus-resumable': '1.0.0' },
      })
      context.output.result({ id, deleted: true }, `Upload ${id} is given up.`)
    })
}

function uploadsPath(runtime: string): string {
  return `/api/v1/runtimes/${encodeURIComponent(runtime)}/uploads`
}
