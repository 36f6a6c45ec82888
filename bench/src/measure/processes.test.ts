import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { grpcFrame } from './grpc-frame.ts'
import { cpuMicros, MIB, residentBytes, withDescendants } from './processes.ts'

describe('processes', () => {
  test('have memory, and time that grows with what they do', () => {
    const before = cpuMicros([process.pid])
    for (const end = performance.now() + 50; performance.now() < end;);
    expect(cpuMicros([process.pid])).toBeGreaterThan(before)
    expect(residentBytes(process.pid) / MIB).toBeGreaterThan(10)
  })

  test('are found with those that they have started', async () => {
    // Two generations: the shell stays because a second command follows.
    const shell = spawn('/bin/sh', ['-c', 'cat; true'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const pid = shell.pid ?? 0
    await waitUntil('the child of the child', () => withDescendants([pid]).length === 2)
    shell.stdin.end()
    await once(shell, 'exit')
    await waitUntil('both gone', () => residentBytes(pid) === 0)
    expect(cpuMicros([pid])).toBe(0)
  })
})

describe('grpcFrame', () => {
  test.each([
    [100, 2],
    [200, 3],
    [900_000, 4],
  ])('puts %i bytes into field 1 of a message', (bytes, header) => {
    const frame = grpcFrame(bytes)
    expect(frame.readUInt32BE(1)).toBe(frame.length - 5)
    expect(frame.length).toBe(5 + header + bytes)
    expect(frame[5]).toBe(0x0a)
  })
})
