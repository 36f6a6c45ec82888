import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import { versionPath } from '../api/version-path.ts'
import type { Context } from '../context.ts'
import { saveBody } from '../output/save-body.ts'
import { table } from '../output/output.ts'

type Document = { path: string; contentType: string; isDashboard: boolean; url: string }
type DocumentsOptions = { runtime: string; output?: string }

export function documentsCommand(version: Command, context: Context): void {
  version
    .command('documents <version> [path]')
    .description('what a bundle brings for people: a list, or one document as a file')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('-o, --output <file>', 'a new file (default: the name that the document has)')
    .action(async (name: string, path: string | undefined, options: DocumentsOptions) => {
      const client = await connectEngine(context)
      const documents = await listDocuments(client, options.runtime, name)
      if (path === undefined) {
        const rows = documents.map((one) => [
          one.path,
          one.contentType,
          one.isDashboard ? 'dashboard' : '',
        ])
        return context.output.result(
          documents,
          table(['PATH', 'TYPE', ''], rows, 'This version brings no documents.'),
        )
      }
      if (!documents.some((one) => one.path === path))
        throw new KreError(
          'not-found',
          `version "${name}" has no document "${path}": see krectl version documents -r ${options.runtime} ${name}`,
        )
      const query = new URLSearchParams({ path })
      const address = `${versionPath(options.runtime, name)}/document?${query}`
      const body = await client.stream(address, context.signal)
      const file = resolve(context.cwd, options.output ?? basename(path))
      const bytes = await saveBody(body, file, { signal: context.signal, replace: false })
      context.output.result({ file, bytes }, `Written: ${file} (${bytes} bytes).`)
    })
}

async function listDocuments(
  client: AdminClient,
  runtimeId: string,
  versionName: string,
): Promise<Document[]> {
  const { documents } = await client.graphql<{ documents: Document[] }>(
    `query ($runtimeId: ID!, $versionName: String!) {
      documents(runtimeId: $runtimeId, versionName: $versionName) { path contentType isDashboard url } }`,
    { runtimeId, versionName },
  )
  return documents
}
