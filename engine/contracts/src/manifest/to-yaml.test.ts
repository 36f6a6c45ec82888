import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { GraphNode, KrtManifest } from './graph.ts'
import { formatIssue } from './issue.ts'
import { parseManifest } from './parse-manifest.ts'
import { slug } from './slug.ts'
import { LINEAR } from './testing/manifest-text.ts'
import { toYaml } from './to-yaml.ts'

function parsed(text: string): KrtManifest {
  const result = parseManifest(text, { file: 'kre.yaml' })
  if (!result.ok) throw new Error(`${result.issues.map(formatIssue).join('\n')}\n${text}`)
  return result.manifest
}

/** Names that YAML readers take for something else are among them. */
const names = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 _-]{0,17}[a-z0-9]$/),
  fc.constantFrom('on', 'No', 'null', 'true', '012', '1e3', '2024-01-31', '0x1f', '1_000'),
)
const texts = fc
  .oneof(
    // U+FFFD is what a decoder leaves of bytes that are not UTF-8, so no manifest that was accepted holds it.
    fc
      .string({ minLength: 1, maxLength: 80, unit: 'grapheme' })
      .map((text) => text.replaceAll('\u{fffd}', '?')),
    fc.constantFrom('yes', ' a ', 'a\n\n b \n', '# a', '1:30', '"', '|', "it's"),
  )
  .filter((text) => !/[\p{Cc}--[\t\n\r]]/v.test(text))
const amount = fc.integer({ min: 1, max: 2 ** 40 })
const range = fc.option(
  fc.tuple(amount, amount).map(([a, b]) => ({ request: Math.min(a, b), limit: Math.max(a, b) })),
)

function nodes(name: string, from: string): fc.Arbitrary<GraphNode> {
  return fc
    .record({
      id: fc.constant(slug(name)),
      name: fc.constant(name),
      image: fc.constantFrom('konstellation/kre-ts:1', 'r.example:5000/a/kre-py:latest'),
      src: fc.constantFrom('src/a.ts', 'a b.py', 'on'),
      gpu: fc.option(
        fc.record({
          count: fc.integer({ min: 1, max: 16 }),
          class: fc.option(fc.constant('a100')),
        }),
      ),
      subscriptions: fc.constantFrom(
        [{ from, channel: null, durability: 'fast' as const }],
        [
          { from, channel: null, durability: 'fast' as const },
          { from: 'entrypoint', channel: null, durability: 'fast' as const },
        ].slice(0, from === 'entrypoint' ? 1 : 2),
      ),
      objectStore: fc.option(
        fc.record({
          name: fc.constant('on'),
          scope: fc.constantFrom('project' as const, 'workflow' as const),
        }),
      ),
      concurrency: fc.integer({ min: 1, max: 1_000 }),
      batch: fc.option(
        fc.record({
          maxSize: fc.integer({ min: 1, max: 1_024 }),
          maxDelayMs: fc.integer({ min: 0, max: 1_000 }),
        }),
        { nil: undefined },
      ),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 86_400_000 })),
      retries: fc.record({
        max: fc.integer({ min: 0, max: 100 }),
        backoffMs: fc.integer({ min: 0, max: 3_600_000 }),
      }),
      onError: fc.constantFrom('fail' as const, 'continue' as const),
      resources: fc.record({ cpuMillis: range, memoryBytes: range }),
      channels: fc.option(fc.uniqueArray(fc.constantFrom('a', 'B', '1', 'on'))),
      scale: fc.oneof(
        fc.record({ replicas: fc.integer({ min: 1, max: 100 }) }),
        fc
          .tuple(fc.nat(100), fc.nat(100), fc.integer({ min: 1, max: 1_000 }))
          .map(([a, b, some]) => {
            const min = Math.min(a, b)
            const autoscaling = {
              min,
              max: Math.max(a, b, 1),
              targetInFlight: some,
              targetQueueAgeMs: 2 * some,
              idleMs: 1_000 * some,
            }
            return { replicas: Math.max(1, min), autoscaling }
          }),
      ),
    })
    .map(({ scale, ...node }) => ({ ...node, ...scale }))
}

const manifests: fc.Arbitrary<KrtManifest> = fc
  .tuple(
    fc.uniqueArray(names, { minLength: 1, maxLength: 4, selector: slug }),
    fc.uniqueArray(names, { minLength: 1, maxLength: 3, selector: slug }),
    names,
    texts,
  )
  .chain(([nodeNames, workflowNames, versionName, description]) =>
    fc.record({
      krtVersion: fc.constant('v2' as const),
      version: fc.constant(slug(versionName)),
      versionName: fc.constant(versionName),
      description: fc.constant(description),
      entrypoint: fc.constant({ proto: 'a.proto', image: 'konstellation/kre-entrypoint:1' }),
      config: fc.record({
        variables: fc.uniqueArray(fc.constantFrom('A', 'ON', 'NO')),
        files: fc.constantFrom([], ['B']),
        defaults: fc.constant({}),
      }),
      workflows: fc.tuple(
        ...workflowNames.map((name, w) =>
          fc.record({
            id: fc.constant(slug(name)),
            name: fc.constant(name),
            entrypoint: fc.constant(`Rpc${w}`),
            exitpoint: fc.constantFrom(...nodeNames.map(slug)),
            timeoutMs: fc.option(fc.integer({ min: 1, max: 86_400_000 })),
            limits: fc.option(
              fc.record(
                {
                  maxInFlight: fc.integer({ min: 1, max: 1_000 }),
                  maxBytes: fc.integer({ min: 1, max: 2 ** 40 }),
                  maxQueueAgeMs: fc.integer({ min: 1, max: 1_000 }),
                },
                { requiredKeys: ['maxInFlight'] },
              ),
              { nil: undefined },
            ),
            nodes: fc.tuple(
              ...nodeNames.map((node, i) =>
                nodes(node, i === 0 ? 'entrypoint' : slug(nodeNames[i - 1]!)),
              ),
            ),
          }),
        ),
      ),
    }),
  )

describe('toYaml', () => {
  test('reads back to the same manifest', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        expect(parsed(toYaml(manifest))).toEqual(manifest)
      }),
      { numRuns: 200 },
    )
  })

  test('turns a linear manifest into a graph that means the same', () => {
    const linear = parsed(LINEAR)
    expect(parsed(toYaml(linear))).toEqual({ ...linear, krtVersion: 'v2' })
  })

  test('keeps defaults of the configuration', () => {
    const manifest = parsed(LINEAR)
    manifest.config.defaults = { API_KEY: 'off', HTTPS_CERT: '-----BEGIN-----\nabc\n' }
    expect(parsed(toYaml(manifest)).config).toEqual(manifest.config)
  })
})
