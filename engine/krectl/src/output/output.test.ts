import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { createOutput, printable, table } from './output.ts'

function sink(isTTY = false) {
  const pieces: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pieces.push(chunk.toString())
      done()
    },
  })
  return Object.assign(stream, { isTTY, text: () => pieces.join('') })
}

describe('output', () => {
  test('keeps results and progress apart', () => {
    const [stdout, stderr] = [sink(), sink()]
    const output = createOutput(stdout, stderr)
    output.step('working')
    output.result({ a: 1 }, 'done')
    expect([stdout.text(), stderr.text()]).toEqual(['done\n', 'working\n'])
  })

  test('writes one JSON document where that is asked for', () => {
    const stdout = sink()
    createOutput(stdout, sink(), { json: true }).result({ a: 'ü\u001b[2J' }, 'done')
    expect(JSON.parse(stdout.text())).toEqual({ a: 'ü\u001b[2J' })
  })

  test('writes one JSON line per piece of a stream', () => {
    const stdout = sink()
    const output = createOutput(stdout, sink(), { json: true })
    output.line({ n: 1 }, 'one')
    output.line({ n: 2 }, 'two')
    expect(stdout.text()).toBe('{"n":1}\n{"n":2}\n')
  })

  test('shows gauges on terminals only, and clears them for what follows', () => {
    const [terminal, pipe] = [sink(true), sink()]
    for (const stderr of [terminal, pipe]) {
      const output = createOutput(sink(), stderr)
      output.gauge('1 of 2 MiB')
      output.step('done')
    }
    expect(terminal.text()).toBe('\r\u001b[K1 of 2 MiB\r\u001b[Kdone\n')
    expect(pipe.text()).toBe('done\n')
  })

  test('shows no progress when it shall be quiet', () => {
    const stderr = sink(true)
    const output = createOutput(sink(), stderr, { quiet: true })
    output.step('working')
    output.gauge('1 of 2')
    expect(stderr.text()).toBe('')
  })

  test('lets no text steer the terminal', () => {
    const stdout = sink()
    createOutput(stdout, sink()).result({}, 'a\u001b[31mred\u202egnp.\r\u0007\nb\tc')
    expect(stdout.text()).toBe('a\ufffd[31mred\ufffdgnp.\ufffd\ufffd\nb\tc\n')
    expect(printable('Grüße, 世界 ✓')).toBe('Grüße, 世界 ✓')
  })
})

describe('table', () => {
  test('pads its columns, and keeps each row on its line', () => {
    expect(
      table(
        ['ID', 'WHY'],
        [
          ['a', 'x\ny'],
          ['longer', ''],
        ],
        'none',
      ),
    ).toBe('ID      WHY\na       x y\nlonger')
  })

  test('says that it is empty', () => {
    expect(table(['ID'], [], 'none')).toBe('none')
  })
})
