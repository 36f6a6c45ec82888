/** The bundle that a newcomer meets, running, and one call of it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonValue } from '@bufbuild/protobuf'
import { KreError, MINUTE_MS } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import {
  listVersions,
  operate,
  uploadVersion,
  waitForStatus,
  type Operation,
  type Version,
} from '../api/versions.ts'
import { callPublished } from '../commands/call.ts'
import type { Context } from '../context.ts'

const RUNTIME = 'demo'
const EXAMPLE = 'digits'
const METHOD = 'ClassifyDigit'
const REQUEST = join('examples', EXAMPLE, 'request.json')
/** A Python environment may be built on the way. */
const TIMEOUT_MS = 5 * MINUTE_MS

export type ExampleAnswer = {
  runtime: string
  version: string
  address: string
  /** What a user types for the same call. */
  command: string
  answer: JsonValue
}

/**
 * Uploads, starts and publishes the example, as far as that is not done, and calls it. Safe to call from two
 * commands at once.
 *
 * @throws KreError `failed-precondition` when the user published something of their own in its place.
 */
export async function runExample(client: AdminClient, context: Context): Promise<ExampleAnswer> {
  await createRuntime(client)
  const published = (await listVersions(client, RUNTIME)).find(
    (version) => version.status === 'PUBLISHED',
  )
  if (published !== undefined && !published.name.startsWith(EXAMPLE))
    throw new KreError(
      'failed-precondition',
      `runtime "${RUNTIME}" publishes "${published.name}", which is left alone`,
    )
  const version = published ?? (await publishExample(client, context))
  const request = JSON.parse(await readFile(join(context.root, REQUEST), 'utf8')) as JsonValue
  context.output.step(`Calling ${METHOD} of version "${version.name}"`)
  const { json: answer, address } = await callPublished(context, client, RUNTIME, METHOD, request)
  const wanted = context.environment['KRE_ENTRYPOINT_PORT'] ?? '9000'
  if (wanted !== '0' && !address.endsWith(`:${wanted}`))
    context.output.step(`  port ${wanted} was taken: runtime "${RUNTIME}" answers at ${address}`)
  return {
    runtime: RUNTIME,
    version: version.name,
    address,
    command: `./krectl.sh call -r ${RUNTIME} ${METHOD} @${REQUEST}`,
    answer,
  }
}

async function createRuntime(client: AdminClient): Promise<void> {
  const { runtimes } = await client.graphql<{ runtimes: { id: string }[] }>('{ runtimes { id } }')
  if (runtimes.some((runtime) => runtime.id === RUNTIME)) return
  const input = { id: RUNTIME, name: 'Demo', description: 'The examples of KRE' }
  await client
    .graphql('mutation ($input: CreateRuntimeInput!) { createRuntime(input: $input) { id } }', {
      input,
    })
    .catch(unlessDone('already-exists'))
}

async function publishExample(client: AdminClient, context: Context): Promise<Version> {
  const name = await uploadExample(client, context)
  const onChange = (text: string) => context.output.step(`  ${text}`)
  const wait = { onChange, timeoutMs: TIMEOUT_MS, signal: context.signal }
  const change = (operation: Operation) =>
    operate(client, operation, RUNTIME, name, 'by krectl dev').catch(
      unlessDone('failed-precondition'),
    )
  context.output.step(`Starting version "${name}"`)
  await change('start')
  await waitForStatus(client, RUNTIME, name, ['STARTED', 'PUBLISHED'], wait)
  context.output.step(`Publishing version "${name}"`)
  await change('publish')
  return waitForStatus(client, RUNTIME, name, ['PUBLISHED'], wait)
}

/** @returns the version's name. */
async function uploadExample(client: AdminClient, context: Context): Promise<string> {
  context.output.step(`Uploading examples/${EXAMPLE}`)
  try {
    const directory = join(context.root, 'examples', EXAMPLE)
    return (await uploadVersion(client, RUNTIME, directory, context)).version.name
  } catch (error) {
    // Another bundle under the example's name: the user's business, so it is left alone and used.
    const there = (await listVersions(client, RUNTIME)).find((found) =>
      found.name.startsWith(EXAMPLE),
    )
    if (there === undefined || !(error instanceof KreError) || error.code !== 'already-exists')
      throw error
    return there.name
  }
}

/** For a step that another command, or an earlier one, may have done already. */
function unlessDone(code: KreError['code']): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof KreError) || error.code !== code) throw error
  }
}
