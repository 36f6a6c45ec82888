/** The images of KRE as containers: read-only, without rights, as another user; by `./krectl.sh test --images`. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Announcement, controlSubject } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { IMAGE_NAMES } from '../../engine/krectl/src/images/image-list.ts'
import { startIsolatedNats } from '../../nats-manager/src/testing/start-isolated-nats.ts'
import {
  demoInterface,
  demoLaunch,
  GREET,
  RUNTIME,
  startNode,
  writeInterface,
} from '../../runners/entrypoint/src/testing/demo-version.ts'
import { connectRaw, frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { identityModel } from '../../runners/node-runner/src/testing/build-model.ts'
import {
  openTestBench,
  textOf,
  textTypes,
  WORKFLOW,
} from '../../runners/node-runner/src/testing/start-node.ts'
import {
  containerName,
  type ContainerOptions,
  imageOf,
  podman,
  POD_USER,
  removeContainer,
  runScript,
  spawnContainer,
  statusOf,
  whyNoImages,
} from './podman.ts'

jest.setTimeout(120_000)

/** The python image of Docker is a whole Debian. */
const hasShell = (name: string) =>
  name === 'runner-python' && process.env['KRE_TEST_IMAGES'] !== 'debian'

/** `message test.Numbers { repeated float values = 1; repeated float same = 2; }` */
const FLOATS = { type: 2, label: 3 }
const NUMBERS = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'numbers.proto',
      package: 'test',
      syntax: 'proto3',
      messageType: [
        {
          name: 'Numbers',
          field: [
            { name: 'values', number: 1, jsonName: 'values', ...FLOATS },
            { name: 'same', number: 2, jsonName: 'same', ...FLOATS },
          ],
        },
      ],
    },
  ],
})

const why = whyNoImages()
if (why !== null)
  describe.skip(`the images (skipped: ${why})`, () => test('are tried', () => undefined))
else {
  describe.each(IMAGE_NAMES)('the image "%s"', (name) => {
    test('names its user by a number, has the labels of OCI, and a bill of materials', async () => {
      const text = await podman('image', 'inspect', '--format', '{{json .Config}}', imageOf(name))
      const config = JSON.parse(text) as { User: string; Labels: Record<string, string> }
      expect(config.User).toBe('65532:65532')
      const label = (key: string) => config.Labels[`org.opencontainers.image.${key}`]
      expect(label('title')).toMatch(/^KRE /)
      expect(label('licenses')).toBe('Apache-2.0')
      expect(label('version')).toBe('test')
      const script = `console.log(require('node:fs').readFileSync('/opt/kre/sbom.cdx.json', 'utf8'))`
      const bill = JSON.parse(await runScript(name, script)) as {
        components: { name: string }[]
      }
      expect(bill.components.length).toBeGreaterThan(0)
    })

    test('has no shell, no package manager, and nothing that its user could change', async () => {
      const script = `
        const fs = require('node:fs')
        const has = ['sh', 'bash', 'apt', 'apt-get', 'dpkg', 'apk', 'busybox', 'npm', 'curl'].filter((name) =>
          process.env.PATH.split(':').some((folder) => fs.existsSync(folder + '/' + name)))
        const open = []
        const walk = (folder) => {
          for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
            const path = folder + '/' + entry.name
            if (entry.isSymbolicLink()) continue
            try { fs.accessSync(path, fs.constants.W_OK); open.push(path) } catch {}
            if (entry.isDirectory()) walk(path)
          }
        }
        walk('/opt/kre')
        console.log(JSON.stringify({ has, open: open.slice(0, 5), uid: process.getuid() }))`
      expect(JSON.parse(await runScript(name, script))).toEqual({
        has: hasShell(name) ? expect.anything() : [],
        open: [],
        uid: 65_532,
      })
    })
  })

  /** What a pod of a version may not have. */
  async function expectNoRights(name: string): Promise<void> {
    expect(await statusOf(name)).toMatchObject({
      Uid: Array.from({ length: 4 }, () => String(POD_USER)).join('\t'),
      CapEff: '0000000000000000',
      CapBnd: '0000000000000000',
      NoNewPrivs: '1',
    })
  }

  describe('a node in a container', () => {
    let nats: TestNats
    beforeAll(async () => {
      nats = await startNats()
    })
    afterAll(async () => nats?.[Symbol.asyncDispose]())

    /** A bench whose nodes run in containers of an image. */
    async function openContainers(image: string, types = textTypes()) {
      const names: string[] = []
      const children: ChildProcess[] = []
      const connection = await nats.connect()
      let announced = 0
      connection.subscribe(controlSubject(WORKFLOW, 'announce'), {
        callback: () => void (announced += 1),
      })
      const bench = await openTestBench(connection, nats.access, types, (launchFile, folder) => {
        execFileSync('chown', ['-R', `${POD_USER}:${POD_USER}`, folder])
        const name = containerName()
        const child = spawnContainer(name, imageOf(image), {
          environment: { KRE_LAUNCH_FILE: launchFile },
          folders: [folder],
        })
        names.push(name)
        children.push(child)
        return child
      })
      return {
        bench,
        name: () => names[0] ?? '',
        ready: async () =>
          waitUntil('the node has announced itself', () => {
            const [child] = children
            if (child?.exitCode !== null && child !== undefined)
              throw new Error(`the container has ended with ${child.exitCode}`)
            return announced > 0
          }),
        async [Symbol.asyncDispose]() {
          for (const name of names) await removeContainer(name)
          await Promise.all(
            children.map(async (child) => (child.exitCode === null ? once(child, 'exit') : null)),
          )
          await bench[Symbol.asyncDispose]()
        },
      }
    }

    test('answers a call in TypeScript', async () => {
      await using containers = await openContainers('runner-typescript')
      containers.bench.start(
        'ts',
        `import { existsSync, writeFileSync } from 'node:fs'
         export function handler(ctx, data) {
           let error = 'none'
           try { writeFileSync('/opt/kre/x', '') } catch ({ code }) { error = code }
           return { text: data.unpack().text + ' ' + error + ' ' + existsSync('/bin/sh') }
         }`,
      )
      await containers.ready()
      expect(textOf(await containers.bench.ask('hello'))).toBe('hello EROFS false')
      await expectNoRights(containers.name())
    })

    test('answers a call in Python', async () => {
      await using containers = await openContainers('runner-python')
      const source = `
import google.protobuf.internal.api_implementation as implementation

def default_handler(ctx, data):
    ctx.logger.info(implementation.Type())
    ctx.send_any(data)
`
      containers.bench.start('py', source, {
        runner: 'python',
        src: 'node.py',
        python: { executable: 'python3', path: [] },
      })
      await containers.ready()
      expect(textOf(await containers.bench.ask('hello'))).toBe('hello')
      await expectNoRights(containers.name())
    })

    test('runs a model', async () => {
      await using containers = await openContainers('runner-onnx', NUMBERS)
      const model = identityModel('float32', ['n'], { type: 'float32', name: 'same' })
      containers.bench.start('model', model, {
        runner: 'onnx',
        src: 'model.onnx',
        requestType: 'test.Numbers',
        responseType: 'test.Numbers',
        model: {
          tensors: {
            input: null,
            output: null,
            inputs: { in: { field: 'values', shape: null } },
            outputs: {},
          },
          threads: 1,
        },
      })
      await containers.ready()
      const numbers = Buffer.from(Float32Array.of(0.5, 2).buffer)
      const { error, value } = await containers.bench.ask('', {
        typeUrl: 'type.googleapis.com/test.Numbers',
        value: Buffer.concat([Buffer.of(0x0a, numbers.length), numbers]),
      })
      expect(error).toBe('')
      expect(
        Buffer.from(value).includes(Buffer.concat([Buffer.of(0x12, numbers.length), numbers])),
      ).toBe(true)
      await expectNoRights(containers.name())
    })
  })

  /** A container that serves HTTP at the address that a pattern finds in what it says. */
  async function openServer(image: string, pattern: RegExp, options: ContainerOptions) {
    const name = containerName()
    const child = spawnContainer(name, imageOf(image), options)
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (said += String(chunk)))
    await waitUntil(
      `${image} serves`,
      () => {
        if (child.exitCode !== null) throw new Error(`the container has ended: ${said}`)
        return pattern.test(said)
      },
      { timeoutMs: 60_000 },
    )
    return {
      name,
      url: `http://127.0.0.1:${pattern.exec(said)?.[1]}`,
      async [Symbol.asyncDispose]() {
        await removeContainer(name)
        if (child.exitCode === null) await once(child, 'exit')
      },
    }
  }

  test('an entrypoint takes a call by gRPC, and passes it on', async () => {
    await using nats = await startNats()
    const connection = await nats.connect()
    await writeInterface(connection, demoInterface('v1'))
    startNode(connection, { version: 'v1' })
    let address = ''
    connection.subscribe(controlSubject({ runtimeId: RUNTIME, version: 'v1' }, 'announce'), {
      callback: (_error, message) => {
        const { role, address: found } = Announcement.parse(message.json())
        if (role === 'entrypoint') address = found ?? ''
      },
    })
    const folder = await mkdtemp(join(tmpdir(), 'kre-image-launch-'))
    const name = containerName()
    try {
      const launchFile = join(folder, 'launch.json')
      await writeFile(launchFile, JSON.stringify(demoLaunch(nats.access)))
      execFileSync('chown', ['-R', `${POD_USER}:${POD_USER}`, folder])
      const environment = { KRE_LAUNCH_FILE: launchFile }
      spawnContainer(name, imageOf('entrypoint'), { environment, folders: [folder] })
      await waitUntil('the entrypoint has announced itself', () => address !== '', {
        timeoutMs: 60_000,
      })
      await using client = await connectRaw(address)
      const answer = await client.call(GREET, frame('hello'))
      expect({ status: answer.status, payload: answer.payload.toString() }).toEqual({
        status: 0,
        payload: 'hello',
      })
      await expectNoRights(name)
    } finally {
      await removeContainer(name)
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('Python has protobuf with compiled code, and finds what it has without an index', async () => {
    const script = `
      const { execFileSync } = require('node:child_process')
      const python = (...args) => execFileSync('python3', args, { env: { ...process.env, HOME: '/tmp' } }).toString().trim()
      require('node:fs').writeFileSync('/tmp/requirements.txt', 'protobuf>=4\\n')
      const code = 'from google.protobuf.internal import api_implementation as a; import ssl, sqlite3, asyncio; print(a.Type())'
      python('-m', 'pip', 'install', '--dry-run', '--no-index', '-r', '/tmp/requirements.txt')
      console.log(python('-c', code))`
    expect(await runScript('runner-python', script)).toBe('upb')
  })

  test.each(IMAGE_NAMES.filter((name) => name !== 'engine' && name !== 'admin-ui'))(
    'the first program of a pod loads in "%s", and says what it has not found',
    async (name) => {
      const program = '/opt/kre/programs/prepare.js'
      const reason = await runScript(name, `import('${program}')`).catch(String)
      expect(reason).toMatch(/\/kre\/\w+/)
      expect(reason).not.toMatch(/MODULE|Cannot find/)
    },
  )

  test('the engine answers for its health, with a NATS elsewhere', async () => {
    await using nats = await startIsolatedNats()
    const keys = await mkdtemp(join(tmpdir(), 'kre-image-keys-'))
    try {
      await writeFile(join(keys, 'keys.json'), JSON.stringify(nats.server.keys))
      execFileSync('chown', ['-R', '65532:65532', keys])
      await using engine = await openServer('engine', /"adminUrl":"http:\/\/[^:"]+:(\d+)"/, {
        user: 65_532,
        environment: {
          KRE_ADMIN_PORT: '0',
          KRE_ISOLATION: 'off',
          KRE_NATS_URL: `nats://127.0.0.1:${nats.server.port}`,
          KRE_NATS_KEYS_FILE: join(keys, 'keys.json'),
        },
        folders: [keys],
        scratch: ['/data'],
      })
      const health = await fetch(`${engine.url}/healthz`)
      expect({ status: health.status, body: await health.json() }).toEqual({
        status: 200,
        body: { status: 'ok' },
      })
      expect(await (await fetch(`${engine.url}/ui/`)).text()).toContain('<div id="app">')
      expect(await statusOf(engine.name)).toMatchObject({ CapEff: '0000000000000000' })
    } finally {
      await rm(keys, { recursive: true, force: true })
    }
  })

  test('the admin UI alone is served below /ui/, and nothing else', async () => {
    const pattern = /the admin UI is at port (\d+)/
    await using ui = await openServer('admin-ui', pattern, { environment: { PORT: '0' } })
    const page = await fetch(`${ui.url}/`)
    expect(page.url).toBe(`${ui.url}/ui/`)
    const text = await page.text()
    expect(text).toContain('<div id="app">')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const [, asset = ''] = /src="\.\/(assets\/[^"]+)"/.exec(text) ?? []
    const script = await fetch(`${ui.url}/ui/${asset}`)
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toContain('immutable')
    await script.arrayBuffer()
    expect(await (await fetch(`${ui.url}/healthz`)).text()).toBe('ok\n')
    for (const path of ['/graphql', '/ui/assets/..%2f..%2fpackage.json', '/opt/kre/package.json'])
      expect((await fetch(ui.url + path)).status).toBe(404)
    expect((await fetch(`${ui.url}/ui/`, { method: 'POST' })).status).toBe(405)
  })
}
