/** The table of names in ARCHITECTURE.md says what names.ts builds. */
import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  bundlePart,
  claimsFilter,
  claimStream,
  controlSubject,
  edgeSubject,
  failureSubject,
  ingressSubject,
  nodeBucket,
  nodeSubject,
  objectBucket,
  outputsStream,
  outputSubject,
  projectBucket,
  metricsSubject,
  replySubject,
  routingBucket,
  workflowBucket,
  workloadId,
} from '@kre/contracts'

const workflow = { runtimeId: 'demo', version: 'v1', workflow: 'wf' }
const node = { ...workflow, node: 'a' }
const BUILT: Record<string, string[]> = {
  ingressSubject: [ingressSubject(workflow)],
  nodeSubject: [nodeSubject(node), nodeSubject(node, 'c')],
  failureSubject: [failureSubject(node)],
  edgeSubject: [edgeSubject(workflow, 'a', 'b')],
  outputSubject: [outputSubject(workflow, 'wf', 'log')],
  controlSubject: [controlSubject(workflow, 'announce'), controlSubject(workflow, 'wake')],
  metricsSubject: [metricsSubject('demo')],
  replySubject: [replySubject('demo', 'e1', 't')],
  claimsFilter: [claimsFilter('demo')],
  claimStream: [claimStream(workflow)],
  outputsStream: [outputsStream(workflow)],
  routingBucket: [routingBucket('demo')],
  projectBucket: [projectBucket('demo')],
  workflowBucket: [workflowBucket(workflow)],
  nodeBucket: [nodeBucket(node)],
  objectBucket: [objectBucket(workflow, 'workflow', 'm')],
  bundlePart: [bundlePart('sha256:5d1f', 0)],
  workloadId: [workloadId(workflow, node)],
}

describe('the names of ARCHITECTURE.md', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../ARCHITECTURE.md'), 'utf8')
  const rows = [...text.matchAll(/^\| [^|]+ \| `([^`]+)` \| `(\w+)` \|$/gm)].map((row) => ({
    name: row[1] ?? '',
    builder: row[2] ?? '',
  }))

  test('are what names.ts builds, all of them', () => {
    const documented: Record<string, string[]> = {}
    for (const { name, builder } of rows) (documented[builder] ??= []).push(name)
    expect(documented).toEqual(BUILT)
  })
})
