/** Manifests that are nearly right: lines, words and values of good ones and of bad ones, in every order. */
import { expect, test } from '@jest/globals'
import { ISSUE_CODES, KrtManifest, parseManifest, readEntrypointProto } from '@kre/contracts'
import { fuzz, mutate, pick } from '../testing/fuzz.ts'
import { SAMPLE_FILES, SAMPLE_MANIFEST } from '../testing/sample-bundle.ts'
import { renameVersion } from './rename-version.ts'

const FIRST_GENERATION = `version: my-project-v1
description: first
entrypoint: { proto: public_input.proto, image: konstellation/kre-entrypoint:1 }
config:
  variables: [API_KEY]
  defaults: { API_KEY: "x" }
nodes:
  - { name: ETL, image: konstellation/kre-py:1, src: src/reply.py, gpu: false, replicas: 2 }
  - { name: Out, image: konstellation/kre-ts:1, src: src/prepare.ts, resources: { memory: { limit: 1Gi } } }
workflows:
  - { name: New prediction, entrypoint: Classify, sequential: [ETL, Out], limits: { maxInFlight: 3 } }
`
const WORDS = [
  ...'{ } [ ] , : - ? & * ! | > % @ ` # " \' \n \t \r \0 << --- ... ~ null true .inf .nan 0x10 1e999'.split(
    ' ',
  ),
  ...'__proto__ constructor toString hasOwnProperty entrypoint nodes workflows name subscriptions'.split(
    ' ',
  ),
  ...'-1 0 1.5 99999999999999999999 2026-01-01 on off é \u202e \ufeff \ud800 "\\ud800" "\\0"'.split(
    ' ',
  ),
  '\n  ',
  '\n    - ',
  '{a: [b, {c: d}]}',
  'tensors: { inputs: { x: { field: y, shape: [1, n] } } }',
  'autoscaling: { min: 0, max: 1 }',
  'objectStore: { name: a, scope: workflow, ttl: 5d }',
  'triggers: [{ cron: { schedule: "* * * * *" } }]',
  'maxRevisits: 3',
  'batch: { maxSize: 4 }',
]
const SEEDS = [SAMPLE_MANIFEST, FIRST_GENERATION].map((text) => text.split(/(\W)/))
const FILES = new Set(Object.keys(SAMPLE_FILES))
const METHOD = { rpc: 'Classify', requestType: 'digits.Image', responseType: 'digits.Digit' }
const SERVICE = {
  name: 'digits.Entrypoint',
  methods: [{ ...METHOD, clientStreaming: false, serverStreaming: false }],
}

test('the manifest reader answers whatever it is given', async () => {
  let accepted = 0
  const rounds = await fuzz((random) => {
    const text = mutate(pick(random, SEEDS), random, WORDS).join('')
    const result = parseManifest(text, { file: 'kre.yaml', files: FILES, service: SERVICE })
    const lines = text.split('\n').length
    for (const { code, file, line, column, message, path } of result.issues) {
      expect(ISSUE_CODES).toHaveProperty(code)
      expect([file, line >= 1 && line <= lines, column >= 1]).toEqual(['kre.yaml', true, true])
      expect(`${message}${path}`).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]|Cannot read|is not a function/u)
    }
    const errors = result.issues.filter(({ level }) => level === 'error')
    expect(errors.length > 0).toBe(!result.ok)
    if (result.ok) {
      accepted += 1
      KrtManifest.parse(JSON.parse(JSON.stringify(result.manifest)))
      expect(readEntrypointProto(text)).toBe(result.manifest.entrypoint.proto)
      const renamed = parseManifest(renameVersion(text, 'renamed'), { file: 'kre.yaml' })
      expect(renamed).toMatchObject({ ok: true, manifest: { version: 'renamed' } })
    } else renameVersion(text, 'renamed')
  })
  expect(rounds).toBeGreaterThan(0)
  if (rounds > 500) expect(accepted).toBeGreaterThan(0)
  expect(Object.keys(Object.prototype)).toEqual([])
}, 3_600_000)
