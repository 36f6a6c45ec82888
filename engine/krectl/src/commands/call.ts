import type { Command } from 'commander'
import type { JsonValue } from '@bufbuild/protobuf'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KreError, MINUTE_MS } from '@kre/contracts'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import { findVersion } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { readInput } from '../output/read-input.ts'
import { collect } from '../output/collect.ts'
import { isLoopback } from '../profiles/check-engine-url.ts'
import { parseDuration } from '../output/parse-duration.ts'

/** No deadline of an entrypoint is longer. */
const CALL_TIMEOUT_MS_MAX = 10 * MINUTE_MS

type CallOptions = {
  runtime: string
  version?: string
  address?: string
  timeout: string
  metadata: string[]
}

export function callCommand(program: Command, context: Context): void {
  program
    .command('call <method> [json]')
    .description(
      'call an rpc with JSON (@FILE reads it from a file, - from standard input) and print the answer as JSON, of a stream each message as it comes',
    )
    .option('-r, --runtime <id>', 'runtime', 'demo')
    .option('--version <name>', "a version's own address (default: the published one)")
    .option(
      '--address <host:port>',
      'where the entrypoint is reached from here (default: where the engine says)',
    )
    .option('--timeout <duration>', 'deadline', '30s')
    .option('--metadata <key=value>', 'metadata to send; may be given again', collect, [])
    .action(async (method: string, json: string | undefined, options: CallOptions) => {
      // What can be wrong on the command line is found before anybody is asked.
      const timeoutMs = Math.min(parseDuration(options.timeout), CALL_TIMEOUT_MS_MAX)
      const metadata = Object.fromEntries(options.metadata.map(parseMetadata))
      const request = await readJson(json ?? '{}', context)
      const client = await connectEngine(context)
      const { address: told, version } = await findAddress(client, options)
      const address = options.address ?? reachable(told, client.url)
      const descriptorSet = await client.bytes(descriptorSetPath(options.runtime, version))
      const { signal } = context
      const call = { address, method, json: request, timeoutMs, metadata, descriptorSet, signal }
      const { callRpc, callStream, isStreaming } = await import('../grpc/call-rpc.ts')
      if (isStreaming(call)) {
        await callStream(call, (message) =>
          context.output.line(message, JSON.stringify(message, null, 2)),
        )
        return
      }
      const started = performance.now()
      const answer = await callRpc(call)
      const milliseconds = performance.now() - started
      const { json: message } = answer
      context.output.result(
        {
          answer: message,
          milliseconds: Math.round(milliseconds * 10) / 10,
          address,
          version,
          headers: answer.headers,
          trailers: answer.trailers,
        },
        JSON.stringify(message, null, 2),
      )
    })
}

/** Calls an rpc of a runtime's published version. */
export async function callPublished(
  context: Context,
  client: AdminClient,
  runtime: string,
  method: string,
  json: JsonValue,
): Promise<{ json: JsonValue; address: string }> {
  const { address, version } = await findAddress(client, { runtime })
  const { callRpc } = await import('../grpc/call-rpc.ts')
  const answer = await callRpc({
    address,
    method,
    json,
    timeoutMs: MINUTE_MS,
    metadata: {},
    descriptorSet: await client.bytes(descriptorSetPath(runtime, version)),
    signal: context.signal,
  })
  return { json: answer.json, address }
}

/** @throws KreError for an address that leads to this computer, told by an engine that is on another one. */
function reachable(address: string, engineUrl: string): string {
  const host = address.slice(0, address.lastIndexOf(':'))
  if (!isLoopback(host) || isLoopback(new URL(engineUrl).hostname)) return address
  throw new KreError(
    'failed-precondition',
    `the entrypoint listens at ${address} of its own computer alone: make a way there (for example ssh -L), and name it with --address`,
  )
}

function descriptorSetPath(runtime: string, version: string): string {
  return `/api/v1/runtimes/${encodeURIComponent(runtime)}/versions/${encodeURIComponent(version)}/descriptor-set`
}

async function findAddress(
  client: AdminClient,
  options: { runtime: string; version?: string },
): Promise<{ address: string; version: string }> {
  if (options.version !== undefined) {
    const { status, entrypointAddress } = await findVersion(
      client,
      options.runtime,
      options.version,
    )
    if (entrypointAddress === '') {
      throw new KreError(
        'failed-precondition',
        `version "${options.version}" is ${status} and has no address: krectl version start -r ${options.runtime} ${options.version}`,
      )
    }
    return { address: entrypointAddress, version: options.version }
  }
  const { runtime } = await client.graphql<{
    runtime: { entrypointAddress: string; publishedVersion: { name: string } | null }
  }>(`query ($id: ID!) { runtime(id: $id) { entrypointAddress publishedVersion { name } } }`, {
    id: options.runtime,
  })
  if (runtime.publishedVersion === null || runtime.entrypointAddress === '') {
    throw new KreError(
      'failed-precondition',
      `runtime "${options.runtime}" has no published version: krectl version publish -r ${options.runtime} VERSION, or name one with --version`,
    )
  }
  return { address: runtime.entrypointAddress, version: runtime.publishedVersion.name }
}

async function readJson(text: string, context: Context): Promise<JsonValue> {
  const source =
    text === '-'
      ? await readInput(context, 'the request as JSON')
      : text.startsWith('@')
        ? await fileText(resolve(context.cwd, text.slice(1)))
        : text
  try {
    return JSON.parse(source) as JsonValue
  } catch (error) {
    throw new UsageError(
      `the request is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

async function fileText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`the request can't be read: ${why}`, { cause: error })
  })
}

/** Metadata is ASCII (grpc/doc/PROTOCOL-HTTP2.md); `grpc-` names are the protocol's own. */
function parseMetadata(pair: string): [string, string] {
  const [, name, value] = /^([A-Za-z0-9_.-]+)=([\x20-\x7e]*)$/.exec(pair) ?? []
  if (name === undefined || value === undefined || name.toLowerCase().startsWith('grpc-'))
    throw new UsageError(`metadata "${pair}" is not KEY=VALUE in ASCII, or its key belongs to gRPC`)
  return [name, value]
}
