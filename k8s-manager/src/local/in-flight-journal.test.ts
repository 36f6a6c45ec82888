import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { fusedWorkPath, IN_FLIGHT_FILE, type NodeSpec } from '@kre/contracts'
import { inFlightText } from '@kre/contracts/testing'
import { nodeWorkload } from '../testing/workloads.ts'
import { readInFlight } from './in-flight-journal.ts'

const spec = nodeWorkload('first').spec as NodeSpec

test('a missing journal is an empty one', () => {
  expect(readInFlight(spec, '/nowhere')).toEqual([{ node: spec, calls: [] }])
})

test('each node of a shared process has its own calls', async () => {
  const workPath = await mkdtemp(join(tmpdir(), 'kre-journal-'))
  const second = { ...spec, node: 'second' }
  await mkdir(fusedWorkPath(workPath, 0))
  const record = inFlightText([{ requestId: 'r', dueMs: 5 }])
  await writeFile(join(fusedWorkPath(workPath, 0), IN_FLIGHT_FILE), record)
  const fused = { ...spec, fused: [second] }
  expect(readInFlight(fused, workPath)).toEqual([
    { node: fused, calls: [] },
    { node: second, calls: [{ requestId: 'r', dueMs: 5 }] },
  ])
  await rm(workPath, { recursive: true })
})
