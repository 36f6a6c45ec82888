import type { Command } from 'commander'
import type { JsonValue } from '@bufbuild/protobuf'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KreError, MINUTE_MS } from '@kre/contracts'
import { connectAdmin, type AdminClient } from '../api/admin-client.ts'
import { findVersion } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { callRpc } from '../grpc/call-rpc.ts'
import { UsageError } from '../output/exit-code.ts'
import { parseDuration } from '../output/parse-duration.ts'

type CallOptions = { runtime: string; version?: string; timeout: string; metadata: string[] }

export function callCommand(program: Command, context: Context): void {
  program
    .command('call <method> [json]')
    .description(
      'call an rpc with JSON (@FILE reads it from a file, - from standard input) and print the answer as JSON',
    )
    .option('-r, --runtime <id>', 'runtime', 'demo')
    .option('--version <name>', "a version's own address (default: the published one)")
    .option('--timeout <duration>', 'deadline', '30s')
    .option('--metadata <key=value...>', 'metadata to send', [])
    .action(async (method: string, json: string | undefined, options: CallOptions) => {
      const client = await connectAdmin(context.dataDir)
      const { address, version } = await findAddress(client, options)
      const path = `/api/v1/runtimes/${encodeURIComponent(options.runtime)}/versions/${encodeURIComponent(version)}/descriptor-set`
      const started = performance.now()
      const answer = await callRpc({
        address,
        method,
        json: await readJson(json ?? '{}', context),
        timeoutMs: Math.min(parseDuration(options.timeout), 10 * MINUTE_MS),
        metadata: Object.fromEntries(options.metadata.map(parseMetadata)),
        descriptorSet: await client.bytes(path),
        signal: context.signal,
      })
      const milliseconds = performance.now() - started
      const { json: message } = answer
      context.output.result(
        {
          answer: message,
          milliseconds: Math.round(milliseconds * 10) / 10,
          address,
          version,
          trailers: answer.trailers,
        },
        JSON.stringify(message, null, 2),
      )
    })
}

/** Calls an rpc of a runtime's published version; what `krectl dev` shows at its end. */
export async function callPublished(
  context: Context,
  client: AdminClient,
  runtime: string,
  method: string,
  json: JsonValue,
): Promise<JsonValue> {
  const { address, version } = await findAddress(client, { runtime })
  const descriptorSet = await client.bytes(
    `/api/v1/runtimes/${runtime}/versions/${version}/descriptor-set`,
  )
  return (
    await callRpc({
      address,
      method,
      json,
      timeoutMs: MINUTE_MS,
      metadata: {},
      descriptorSet,
      signal: context.signal,
    })
  ).json
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
      ? await streamText(context)
      : text.startsWith('@')
        ? await readFile(resolve(context.cwd, text.slice(1)), 'utf8')
        : text
  try {
    return JSON.parse(source) as JsonValue
  } catch (error) {
    throw new UsageError(
      `the request is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

async function streamText(context: Context): Promise<string> {
  let text = ''
  for await (const chunk of context.stdin) text += String(chunk)
  return text
}

function parseMetadata(pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError(`metadata "${pair}" is not KEY=VALUE`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}
