/** A worker that speaks worker.proto, for tests. What it does with a message is the message's text. */
import { connect } from 'node:net'
import { openFrameChannel, type WorkerFrame } from '@kre/wire'

const socket = connect(process.argv.at(-1) ?? '')
const empty = new Uint8Array(0)
const channel = openFrameChannel(socket, onFrame, () => process.exit(0))
channel.send({ kind: 'hello', protocol: 1, language: 'fake 1.0', readsAhead: false })
let calls = 0

function onFrame(frame: WorkerFrame): void {
  if (frame.kind === 'init') {
    if (frame.handlerPath.includes('broken')) {
      const text = 'src/broken.py:3: ModuleNotFoundError: No module named "nothing"'
      channel.send({ kind: 'initFailed', text, stack: 'Traceback' })
    } else if (frame.handlerPath.includes('endless')) {
      console.log('reading the model')
      channel.send({ kind: 'loaded' })
    } else channel.send({ kind: 'initDone', handlesErrors: false })
  } else if (frame.kind === 'handle') handle(frame)
  else if (frame.kind === 'callResult') {
    const text = frame.error === '' ? frame.result : `error: ${frame.error}`
    answer(frame.id, text)
  } else if (frame.kind === 'drain') process.exit(0)
}

function handle({ callId, value, attempt }: WorkerFrame<'handle'>): void {
  const text = new TextDecoder().decode(value.subarray(2))
  console.log(`handling ${text}`)
  if (text === 'exit') process.exit(3)
  if (text === 'crash' || (text === 'crash once' && attempt === 1))
    process.kill(process.pid, 'SIGKILL')
  if (text === 'loop') for (;;);
  if (text === 'wait') return
  if (text === 'fail' || text === 'malformed') {
    channel.send({
      kind: 'failed',
      callId,
      text: 'boom',
      stack: 'Traceback: boom',
      retryable: false,
      retryAfterMs: 0,
      statusCode: text === 'malformed' ? 3 : 0,
      elapsedUs: 0,
    })
  } else if (text === 'get') {
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
  } else answer(callId, `${text}:${calls}`)
}

function answer(callId: number, text: string): void {
  const bytes = new TextEncoder().encode(text)
  const value = Uint8Array.of(0x0a, bytes.length, ...bytes)
  const typeUrl = 'type.googleapis.com/test.Text'
  channel.send({ kind: 'output', callId, messageType: 1, channel: '', typeUrl, value, error: '' })
  channel.send({ kind: 'done', callId, elapsedUs: 0 })
}
