/** What `version delete` and `runtime delete` do, and the original's words for them. */
import { connectEngine } from '../api/connect-engine.ts'
import { operate } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { confirm } from '../output/confirm.ts'

export type DeleteOptions = { comment: string; yes?: boolean }

/** Deletes a stopped version with its stores. */
export async function deleteVersion(
  context: Context,
  runtimeId: string,
  name: string,
  { comment, yes }: DeleteOptions,
): Promise<void> {
  const client = await connectEngine(context)
  const what = `Version "${name}" of runtime "${runtimeId}" will be deleted with its stores`
  await confirm(context, what, { yes })
  await operate(client, 'delete', runtimeId, name, comment)
  context.output.result({ version: name, deleted: true }, `Version "${name}" is deleted.`)
}

/** Deletes a runtime with its stopped versions and all its data. */
export async function deleteRuntime(
  context: Context,
  id: string,
  { comment, yes }: DeleteOptions,
): Promise<void> {
  const client = await connectEngine(context)
  await confirm(context, `Runtime "${id}" will be deleted with all its data`, { yes })
  await client.graphql(
    `mutation ($input: DeleteRuntimeInput!) { deleteRuntime(input: $input) { id } }`,
    { input: { id, comment } },
  )
  context.output.result({ id, deleted: true }, `Runtime "${id}" is deleted.`)
}
