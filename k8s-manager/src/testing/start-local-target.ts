/** A local target whose processes are fake runners, in a folder of its own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StageEvent } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import {
  createLocalTarget,
  type LocalTarget,
  type LocalTargetDeps,
} from '../local/create-local-target.ts'
import type { LocalSettings } from '../local/settings.ts'

const fakeRunner = [process.execPath, join(import.meta.dirname, 'fake-runner.ts')]

export type TestTarget = AsyncDisposable & {
  dataDir: string
  nats: TestNats
  target: LocalTarget
  progress: StageEvent[]
  /** Lets go of the target as an engine that ends; what follows is used by the next `open`. */
  close(): Promise<void>
  open(settings?: Partial<LocalSettings>): Promise<LocalTarget>
}

/** @param files content of every bundle, by path. */
export async function startLocalTarget(
  settings: Partial<LocalSettings> = {},
  files: Readonly<Record<string, string>> = {},
  overrides: Partial<LocalTargetDeps> = {},
): Promise<TestTarget> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kre-target-'))
  const nats = await startNats()
  const progress: StageEvent[] = []
  const open = async (changed: Partial<LocalSettings> = settings) =>
    createLocalTarget({
      ...testDeps(dataDir, files),
      nats: await nats.connect('target'),
      runnerAccess: () => nats.access,
      onProgress: (_version, event) => progress.push(event),
      settings: { drainMs: 2_000, tickMs: 50, adoptedPollMs: 20, ...changed },
      ...overrides,
    })
  let target = await open()
  return {
    dataDir,
    nats,
    progress,
    get target() {
      return target
    },
    close: async () => target[Symbol.asyncDispose](),
    async open(changed) {
      target = await open(changed)
      return target
    },
    async [Symbol.asyncDispose]() {
      await target.stopAll()
      await target[Symbol.asyncDispose]()
      await nats[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** All that a target needs but NATS. */
export function testDeps(
  dataDir: string,
  files: Readonly<Record<string, string>> = {},
): Omit<LocalTargetDeps, 'nats' | 'runnerAccess'> {
  return {
    dataDir,
    bundles: { path: async () => '/nowhere' },
    descriptorSet: async () => new Uint8Array([1, 2, 3]),
    logger: createLogger('test', { level: 'silent' }),
    environment: process.env,
    ports: { publishedBase: 0 },
    commands: { node: fakeRunner, entrypoint: fakeRunner },
    bundleTools: {
      async extractBundle(_archive, _digest, directory) {
        await mkdir(directory, { recursive: true })
        for (const [name, content] of Object.entries(files))
          await writeFile(join(directory, name), content)
      },
      async writePythonModules(_descriptors, directory) {
        await writeFile(join(directory, 'public_input_pb2.py'), '')
      },
      stripBundle: async () => new Map(),
    },
  }
}
