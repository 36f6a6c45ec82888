import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from 'node:events'
import type { JsonValue } from '@bufbuild/protobuf'
import type { Command } from 'commander'
import { isAllowed, KreError, MINUTE_MS } from '@kre/contracts'
import { connectAdmin, type AdminClient } from '../api/admin-client.ts'
import {
  listVersions,
  operate,
  uploadVersion,
  waitForStatus,
  type Version,
} from '../api/versions.ts'
import type { Context } from '../context.ts'
import { ensureEngine, stopEngine } from '../engine/engine-process.ts'
import { callPublished } from './call.ts'
import { createLoginUrl } from './engine.ts'

const RUNTIME = 'demo'
/** The bundle a newcomer meets, and one call of it. */
const EXAMPLE = 'digits'
const EXAMPLE_METHOD = 'ClassifyDigit'
const EXAMPLE_REQUEST = join('examples', EXAMPLE, 'request.json')
const EXAMPLE_TIMEOUT_MS = 5 * MINUTE_MS

export function devCommand(program: Command, context: Context): void {
  program
    .command('dev')
    .description(
      'a complete local environment: the engine, an example version, and its answer to a call',
    )
    .option('-d, --detach', 'return when everything is up; the engine goes on')
    .option('--no-example', 'only the engine')
    .action(async (options: { detach?: boolean; example: boolean }) => {
      const began = performance.now()
      context.output.step('Starting the engine')
      const { record, started } = await ensureEngine(context)
      context.output.step(
        `Engine ${started ? 'started' : 'runs already'}: process ${record.pid}, ${record.adminUrl}`,
      )
      const client = await connectAdmin(context.dataDir)
      const answer = options.example ? await runExample(client, context) : null
      const url = await createLoginUrl(context, false)
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      context.output.result(
        {
          adminUrl: record.adminUrl,
          loginUrl: url,
          pid: record.pid,
          example: answer,
          seconds: Number(seconds),
        },
        [
          ...(answer === null
            ? []
            : [
                '',
                `A real answer from the example "${EXAMPLE}":`,
                `  ./krectl.sh call -r ${RUNTIME} ${EXAMPLE_METHOD} @${EXAMPLE_REQUEST}`,
                JSON.stringify(answer.answer, null, 2),
              ]),
          '',
          `KRE is up after ${seconds} s. Sign in at:`,
          '',
          `  ${url}`,
          '',
          options.detach ? 'Stop it with ./krectl.sh stop' : 'Stop it with Ctrl-C',
        ].join('\n'),
      )
      if (!options.detach) await untilInterrupted(context)
    })
}

type ExampleAnswer = {
  runtime: string
  version: string
  answer: JsonValue
}

async function runExample(client: AdminClient, context: Context): Promise<ExampleAnswer> {
  const { runtimes } = await client.graphql<{ runtimes: { id: string }[] }>('{ runtimes { id } }')
  if (!runtimes.some((runtime) => runtime.id === RUNTIME)) {
    await client.graphql(
      `mutation ($input: CreateRuntimeInput!) { createRuntime(input: $input) { id } }`,
      {
        input: { id: RUNTIME, name: 'Demo', description: 'The examples of KRE' },
      },
    )
  }
  const published = (await listVersions(client, RUNTIME)).find(
    (version) => version.status === 'PUBLISHED',
  )
  const version = published ?? (await publishExample(client, context))
  const request = JSON.parse(
    await readFile(join(context.root, EXAMPLE_REQUEST), 'utf8'),
  ) as JsonValue
  context.output.step(`Calling ${EXAMPLE_METHOD} of version "${version.name}"`)
  const answer = await callPublished(context, client, RUNTIME, EXAMPLE_METHOD, request)
  return {
    runtime: RUNTIME,
    version: version.name,
    answer,
  }
}

async function publishExample(client: AdminClient, context: Context): Promise<Version> {
  context.output.step(`Uploading examples/${EXAMPLE}`)
  const { version } = await uploadVersion(
    client,
    RUNTIME,
    join(context.root, 'examples', EXAMPLE),
    context,
  ).catch(async (error: unknown) => {
    // Another bundle under the example's name: the user's business, so it is left alone and used.
    const there =
      error instanceof KreError && error.code === 'already-exists'
        ? (await listVersions(client, RUNTIME)).find((found) => found.name.startsWith(EXAMPLE))
        : undefined
    if (there === undefined) throw error
    return { version: there }
  })
  const onChange = (text: string) => context.output.step(`  ${text}`)
  const wait = { onChange, timeoutMs: EXAMPLE_TIMEOUT_MS, signal: context.signal }
  const current =
    (await listVersions(client, RUNTIME)).find((found) => found.name === version.name) ?? version
  if (isAllowed('start', current.status)) {
    context.output.step(`Starting version "${version.name}"`)
    await operate(client, 'start', RUNTIME, version.name, 'started by krectl dev')
  }
  const running = await waitForStatus(client, RUNTIME, version.name, ['STARTED', 'PUBLISHED'], wait)
  if (running.status === 'PUBLISHED') return running
  context.output.step(`Publishing version "${version.name}"`)
  await operate(client, 'publish', RUNTIME, version.name, 'published by krectl dev')
  return waitForStatus(client, RUNTIME, version.name, ['PUBLISHED'], wait)
}

async function untilInterrupted(context: Context): Promise<void> {
  if (!context.signal.aborted) await once(context.signal, 'abort')
  context.output.step('Stopping')
  await stopEngine({ ...context, signal: new AbortController().signal })
  context.output.step('KRE is stopped. Its data stays.')
}
