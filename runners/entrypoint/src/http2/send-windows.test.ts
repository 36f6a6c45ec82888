import { expect, test } from '@jest/globals'
import type { FrameWriter } from './frame-writer.ts'
import { Http2Stream, NOBODY, type StreamOwner } from './http2-stream.ts'
import { RequestHeaders } from './request-headers.ts'
import { SendWindows } from './send-windows.ts'

/** A stream on a socket that is full while the test says so. */
function openStream() {
  const sent: string[] = []
  const socket = { isFull: false }
  const writer: FrameWriter = {
    frame: (_type, _flags, _id, payload) => void sent.push(Buffer.from(payload).toString()),
    numbers: () => undefined,
    flush: () => undefined,
    isFull: () => socket.isFull,
  }
  const windows = new SendWindows(writer)
  const owner: StreamOwner = {
    sendHeaders: () => undefined,
    sendEnd: () => undefined,
    sendWaiting: (stream) => windows.send(stream),
    sendReset: () => undefined,
    creditStream: () => undefined,
    closed: (stream) => windows.forget(stream),
  }
  const stream = new Http2Stream(owner, 1, new RequestHeaders(), { send: 100, receive: 100 })
  let drained = 0
  stream.handler = { ...NOBODY, onDrain: () => void drained++ }
  return { windows, stream, socket, sent, drained: () => drained }
}

const bytes = (text: string) => Buffer.from(text)

test('what had to wait for the socket goes out in order, and its stream is told', () => {
  const { windows, stream, socket, sent, drained } = openStream()
  socket.isFull = true
  expect(stream.write(bytes('first'))).toBe(false)
  expect(stream.write(bytes('second'))).toBe(false)
  socket.isFull = false
  windows.sendAll()
  windows.sendAll()
  expect(sent).toEqual(['first', 'second'])
  expect(drained()).toBe(1)
})

test('a stream that is written to before the socket tells of its room is told all the same', () => {
  const { windows, stream, socket, sent, drained } = openStream()
  socket.isFull = true
  expect(stream.write(bytes('first'))).toBe(false)
  socket.isFull = false
  expect(stream.write(bytes('second'))).toBe(true)
  windows.sendAll()
  expect(sent).toEqual(['first', 'second'])
  expect(drained()).toBe(1)
})
