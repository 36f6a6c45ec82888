/** A worker that speaks worker.proto, for tests. What it does with a message is the message's text. */
import { spawn } from 'node:child_process'
import { openSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { openFrameChannel, type WorkerFrame } from '@kre/wire'

const socket = connect(process.argv.at(-1) ?? '')
const empty = new Uint8Array(0)
let staysAlone = false
const channel = openFrameChannel(socket, onFrame, () => {
  if (!staysAlone) process.exit(0)
})
channel.send({ kind: 'hello', protocol: 1, language: 'fake 1.0', readsAhead: true })
let runningFile = -1
let calls = 0
let batch: WorkerFrame<'handle'>[] = []
const waiting: WorkerFrame<'handle'>[][] = []
let isRunning = false

function onFrame(frame: WorkerFrame): void {
  if (frame.kind === 'init') {
    runningFile = openSync(frame.runningFile, 'r+')
    if (frame.handlerPath.includes('broken')) {
      const text = 'src/broken.py:3: ModuleNotFoundError: No module named "nothing"'
      channel.send({ kind: 'initFailed', text, stack: 'Traceback' })
    } else if (frame.handlerPath.includes('endless')) {
      console.log('reading the model')
      channel.send({ kind: 'loaded' })
    } else channel.send({ kind: 'initDone', handlesErrors: false })
  } else if (frame.kind === 'handle') {
    batch.push(frame)
    if (frame.batch > 1) return
    waiting.push(batch)
    batch = []
    // In a turn of its own, so that what came together is there together.
    setImmediate(next)
  } else if (frame.kind === 'callResult') {
    const text = frame.error === '' ? frame.result : `error: ${frame.error}`
    answer(frame.id, text)
    end()
  } else if (frame.kind === 'drain') process.exit(0)
}

function next(): void {
  if (isRunning) return
  const messages = waiting.shift()
  if (messages === undefined) return
  isRunning = true
  note(messages[0]?.callId ?? 0)
  const size = messages.length === 1 ? '' : ` of ${messages.length}`
  // The whole batch dies of one of them, as a handler of lists does.
  const texts = messages.map(({ value }) => new TextDecoder().decode(value.subarray(2)))
  messages.forEach((message, i) => destroy(texts[i] ?? '', message.attempt))
  const open = messages.filter((message, i) => !handle(message, texts[i] ?? '', size))
  if (open.length === 0) end()
}

function end(): void {
  isRunning = false
  note(0)
  next()
}

function note(callId: number): void {
  writeSync(runningFile, Uint32Array.of(callId), 0, 4, 0)
}

function destroy(text: string, attempt: number): void {
  console.log(`handling ${text}`)
  if (text === 'exit and leave') leaveBehind()
  if (text.startsWith('exit')) process.exit(3)
  if (text === 'crash' || (text === 'crash once' && attempt === 1))
    process.kill(process.pid, 'SIGKILL')
  if (text === 'loop') for (;;);
}

/** Of the same output, in no hurry; its process id is in a file. */
function leaveBehind(): void {
  const { pid } = spawn('sleep', ['60'], { stdio: ['ignore', 'inherit', 'inherit'] })
  writeFileSync('left-behind', String(pid))
}

/** @returns whether the message is answered. */
function handle({ callId, attempt }: WorkerFrame<'handle'>, text: string, size: string): boolean {
  if (text === 'hang up once' && attempt === 1) {
    staysAlone = true
    socket.destroy()
    setTimeout(() => process.exit(0), 60_000)
    return false
  }
  if (text === 'fail' || text === 'malformed') {
    channel.send({
      kind: 'failed',
      callId,
      text: 'boom',
      stack: 'Traceback: boom',
      retryable: false,
      retryAfterMs: 0,
      statusCode: text === 'malformed' ? 3 : 0,
      elapsedUs: 1,
    })
    return true
  }
  if (text !== 'get') {
    answer(callId, `${text}:${calls}${size}`)
    return true
  }
  const args = JSON.stringify({ key: 'missing' })
  channel.send({
    kind: 'call',
    id: callId,
    callId,
    service: 'configuration',
    method: 'get',
    arguments: args,
    data: empty,
  })
  calls++
  return false
}

function answer(callId: number, text: string): void {
  const bytes = new TextEncoder().encode(text)
  // Of less than 16 KiB.
  const { length } = bytes
  const head = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  const value = Uint8Array.of(0x0a, ...head, ...bytes)
  const typeUrl = 'type.googleapis.com/test.Text'
  channel.send({ kind: 'output', callId, messageType: 1, channel: '', typeUrl, value, error: '' })
  channel.send({ kind: 'done', callId, elapsedUs: 1 })
}
