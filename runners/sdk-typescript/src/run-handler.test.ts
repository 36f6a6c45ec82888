import { create, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import { runHandler, TerminalError, type Context, type Message } from './index.ts'

const TYPE = { string: 9, double: 1, int64: 3, bytes: 12, message: 11, enum: 14 }
const field = (name: string, number: number, type: number, more: object = {}) => ({
  name,
  number,
  type,
  label: 1,
  jsonName: name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  ...more,
})
const descriptorSet = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'all.proto',
        package: 'test',
        syntax: 'proto3',
        enumType: [
          {
            name: 'Kind',
            value: [
              { name: 'NONE', number: 0 },
              { name: 'SOME', number: 1 },
            ],
          },
        ],
        messageType: [
          {
            name: 'All',
            field: [
              field('first_name', 1, TYPE.string),
              field('count', 2, TYPE.int64),
              field('scores', 3, TYPE.double, { label: 3 }),
              field('blob', 4, TYPE.bytes),
              field('child', 5, TYPE.message, { typeName: '.test.All' }),
              field('kind', 6, TYPE.enum, { typeName: '.test.Kind' }),
              field('left', 7, TYPE.string, { oneofIndex: 0 }),
              field('right', 8, TYPE.string, { oneofIndex: 0 }),
            ],
            oneofDecl: [{ name: 'side' }],
          },
          { name: 'Other' },
        ],
      },
    ],
  }),
)
const options = { descriptorSet, isExitpoint: true, responseType: 'test.All' }
const first = { $typeName: 'test.All', first_name: 'ann' }

describe('runHandler', () => {
  test('says of a returned value that it goes nowhere, unless something was sent', async () => {
    const vain = await runHandler({ defaultHandler: async () => first }, first, options)
    expect(vain.outputs).toEqual([])
    expect(vain.logs).toMatchObject([
      {
        level: 'WARN',
        text: expect.stringContaining(
          'returned a value and sent nothing: only what ctx.sendOutput',
        ),
      },
    ])
    const defaultHandler = (ctx: Context) => {
      void ctx.sendOutput(first)
      return true
    }
    expect((await runHandler({ defaultHandler }, first, options)).logs).toEqual([])
  })

  test('gives what a graph handler sends, logs and stores', async () => {
    const module = {
      init: (ctx: Context) => Object.assign(ctx, { model: 'm' }),
      defaultHandler: async (ctx: Context & { model?: string }, data: Message) => {
        ctx.logger.info('got', data.toObject())
        await ctx.db.save('people', { name: ctx.config('NAME') })
        const found = await ctx.db.find('people', { name: 'bob' })
        await ctx.sendOutput({ first_name: ctx.model, count: found.length })
        await ctx.sendAny(data, 'copy')
      },
    }
    const result = await runHandler(module, first, { ...options, config: { NAME: 'bob' } })
    expect(result.logs[0]?.text).toMatch(/^got \{"first_name":"ann"/)
    expect(result.writes.map((w) => `${w.service}.${w.method}`)).toEqual(['db.save', 'db.find'])
    expect(result.outputs.map((o) => [o.kind, o.channel])).toEqual([
      ['ok', ''],
      ['ok', 'copy'],
    ])
    expect(result.outputs[0]?.message.unpack()).toMatchObject({ firstName: 'm', count: 1n })
  })

  test('a last node that returns nothing fails, unless it has sent something', async () => {
    const exitpoint = { ...options, isExitpoint: true }
    const forgets = runHandler({ handler: () => undefined }, first, exitpoint)
    await expect(forgets).rejects.toThrow(/returned nothing.*return a "test\.All"/)
    const handler = async (ctx: Context) => ctx.sendOutput({ first_name: 'sent' })
    expect((await runHandler({ handler }, first, exitpoint)).outputs).toHaveLength(1)
    const inner = { ...options, isExitpoint: false }
    expect((await runHandler({ handler: () => null }, first, inner)).outputs).toEqual([])
  })

  test('plain objects take names of the .proto or camelCase, enums, bytes, oneofs and nested messages', async () => {
    const handler = () => ({
      firstName: 'x',
      count: '12345678901234567',
      scores: new Float32Array([1, 2]),
      blob: Buffer.from('hi').toString('base64'),
      child: { first_name: 'y', kind: 'SOME' },
      right: 'r',
    })
    const { outputs } = await runHandler({ handler }, first, options)
    expect(outputs[0]?.message.unpack('test.All')).toMatchObject({
      firstName: 'x',
      count: 12345678901234567n,
      scores: [1, 2],
      blob: new Uint8Array([104, 105]),
      child: { firstName: 'y', kind: 1 },
      side: { case: 'right', value: 'r' },
    })
  })

  test.each([
    [
      'a field that the type lacks',
      { nope: 1 },
      'message "test.All" has no field "nope"; it has: first_name, count',
    ],
    ['an unknown enum value', { kind: 'MANY' }, 'enum "test.Kind" has no value "MANY"'],
    ['text for a number', { count: 'many' }, 'field "count" is an integer; this is many'],
    ['a number', 3, 'an output is a protobuf message, an Any or a plain object; this is a number'],
    [
      'a type that is not in the bundle',
      { $typeName: 'test.Nope' },
      'message type "test.Nope" is not in the bundle',
    ],
  ])('refuses %s with a reason', async (_, output, text) => {
    await expect(runHandler({ handler: () => output }, first, options)).rejects.toThrow(text)
  })

  test('unpacking another type, malformed bytes or an error raises', async () => {
    const unpackAs = (type?: string) => ({
      defaultHandler: (ctx: Context, data: Message) => void ctx.unpack(data, type),
    })
    await expect(runHandler(unpackAs('test.Other'), first, options)).rejects.toThrow(
      'the payload is a "test.All", not a "test.Other"',
    )
    const broken = { typeUrl: 'type.googleapis.com/test.All', value: Uint8Array.of(10, 99) }
    await expect(runHandler(unpackAs(), broken, options)).rejects.toMatchObject({ malformed: true })
    const error = { ...options, kind: 'error' as const, error: 'upstream failed' }
    await expect(runHandler(unpackAs(), null, error)).rejects.toThrow(
      'the message is an error and has no payload: upstream failed',
    )
  })

  test('a second reply is refused, and after one the result of the last node is dropped', async () => {
    const once = {
      handler: async (ctx: Context) => (await ctx.reply({ first_name: 'a' }), { first_name: 'b' }),
    }
    expect((await runHandler(once, first, options)).outputs.map((o) => o.kind)).toEqual([
      'earlyReply',
    ])
    const twice = { handler: async (ctx: Context) => (await ctx.earlyReply({}), ctx.reply({})) }
    await expect(runHandler(twice, first, options)).rejects.toThrow(
      'the message was replied previously',
    )
  })

  test('earlyExit without a message makes the result an early exit', async () => {
    const module = { handler: (ctx: Context) => (void ctx.earlyExit(), { first_name: 'bye' }) }
    const { outputs } = await runHandler(module, first, options)
    expect(outputs).toMatchObject([{ kind: 'earlyExit' }])
  })

  test('attributes set in a handler do not reach the next call', async () => {
    const seen: unknown[] = []
    const module = {
      handler: (ctx: Context & { mine?: number }) => {
        seen.push(ctx.mine, ctx.get('kept'))
        ctx.mine = 1
        return {}
      },
    }
    await runHandler(module, first, options)
    await runHandler(module, first, options)
    expect(seen).toEqual([undefined, undefined, undefined, undefined])
  })

  test('path refuses to leave the bundle', async () => {
    const at = (path: string) =>
      runHandler({ handler: (ctx: Context) => ({ first_name: ctx.path(path) }) }, first, {
        ...options,
        basePath: '/b',
      })
    expect((await at('models/../a.bin')).outputs[0]?.message.unpack()).toMatchObject({
      firstName: '/b/a.bin',
    })
    for (const path of ['../x', '/etc/passwd', 'a/../../c'])
      await expect(at(path)).rejects.toThrow(TerminalError)
    expect((await at('..a')).outputs[0]?.message.unpack()).toMatchObject({ firstName: '/b/..a' })
  })

  test('chooses by sender, by kind, and says when there is no handler', async () => {
    const module = {
      custom_handlers: { a: (ctx: Context) => ctx.sendOutput({ first_name: 'custom' }) },
      error_handler: (ctx: Context) => ctx.sendOutput({ first_name: ctx.errorMessage }),
    }
    const text = async (more: object) =>
      (await runHandler(module, first, { ...options, ...more })).outputs[0]?.message.unpack()
    expect(await text({ fromNode: 'a' })).toMatchObject({ firstName: 'custom' })
    expect(await text({ fromNode: 'a', kind: 'error', error: 'oh' })).toMatchObject({
      firstName: 'oh',
    })
    await expect(text({ fromNode: 'b' })).rejects.toThrow("no handler for messages from node 'b'")
    await expect(runHandler({ x: 1 }, first, options)).rejects.toThrow(
      'the file exports no handler',
    )
    await expect(runHandler({ handler: 3 }, first, options)).rejects.toThrow(
      'handler is no function',
    )
  })
})

describe('runHandler with a batch handler', () => {
  const sent = async (module: Record<string, unknown>, isBatched: boolean) => {
    const { outputs } = await runHandler(module, { n: 1 }, { isBatched })
    return outputs.map(({ message }) => message.toObject())
  }

  test('gives it lists of one message, and sends what it returns', async () => {
    const batchHandler = (contexts: Context[], messages: Message[]) =>
      contexts.map((_, i) => ({ size: contexts.length, ...messages[i]?.toObject() }))
    expect(await sent({ batchHandler }, false)).toEqual([{ size: 1, n: 1 }])
    expect(await sent({ batchHandler }, true)).toEqual([{ size: 1, n: 1 }])
    expect(await sent({ handler: batchHandler }, true)).toEqual([{ size: 1, n: 1 }])
  })

  test('lets it send by its contexts', async () => {
    const batch_handler = async ([ctx]: Context[], [data]: Message[]) => {
      await ctx?.sendAny(data as Message)
    }
    expect(await sent({ batch_handler }, true)).toEqual([{ n: 1 }])
  })

  test('throws what it throws or returns as the failure of the message', async () => {
    const module = { batchHandler: () => [new TerminalError('this one')] }
    await expect(runHandler(module, {})).rejects.toThrow('this one')
    const short = { batchHandler: () => [] }
    await expect(runHandler(short, {})).rejects.toThrow(
      'returned 0 results for 1 messages: return a list with one output per message, or nothing',
    )
  })

  test('takes the error handler for errors', async () => {
    const seen: string[] = []
    const module = {
      batchHandler: () => seen.push('batch'),
      errorHandler: (ctx: Context) => seen.push(ctx.errorMessage),
    }
    await runHandler(module, {}, { kind: 'error', error: 'boom' })
    expect(seen).toEqual(['boom'])
  })

  test('refuses a handler of single messages where the manifest sets batch', async () => {
    const module = { defaultHandler: () => undefined }
    await expect(runHandler(module, {}, { isBatched: true })).rejects.toThrow(
      'export batchHandler(contexts, messages), or remove batch',
    )
  })
})
