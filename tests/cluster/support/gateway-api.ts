/** The Gateway API, which clusters have only when somebody installs it: its definitions come from its Go module. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { waitUntil } from '@kre/service-kit'
import { parse } from 'yaml'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask, make } from './test-cluster.ts'

const MODULE = 'sigs.k8s.io/gateway-api@v1.3.0'
const ROUTES = ['httproutes', 'grpcroutes'].map((kind) => `${kind}.gateway.networking.k8s.io`)
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Folder of the definitions; null = they can't be had here. */
export async function findGatewayApi(): Promise<string | null> {
  const home = await mkdtemp(join(tmpdir(), 'kre-gateway-'))
  try {
    await writeFile(join(home, 'go.mod'), 'module none\n')
    const ask = promisify(execFile)('go', ['mod', 'download', '-json', MODULE], { cwd: home })
    const { Dir } = JSON.parse((await ask).stdout) as { Dir: string }
    return join(Dir, 'config/crd/standard')
  } catch (error) {
    process.stderr.write(`skipped: routes of the Gateway API: ${String(error).slice(0, 200)}\n`)
    return null
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** Disposing takes it away again. */
export async function installGatewayApi(admin: Cluster, folder: string): Promise<AsyncDisposable> {
  for (const name of ROUTES) {
    const [plural, group] = [name.split('.')[0], name.split('.').slice(1).join('.')]
    const text = await readFile(join(folder, `${group}_${plural}.yaml`), 'utf8')
    await make(admin, `${DEFINITIONS}/${name}`, parse(text) as object)
    await waitUntil(`${name} is served`, async () => {
      const path = `/apis/${group}/v1/${plural}`
      return ask(admin, 'GET', path).then(
        () => true,
        () => false,
      )
    })
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const name of ROUTES) {
        await ask(admin, 'DELETE', `${DEFINITIONS}/${name}`)
        await waitUntil(`${name} is gone`, async () =>
          ask(admin, 'GET', `${DEFINITIONS}/${name}`).then(
            () => false,
            () => true,
          ),
        )
      }
    },
  }
}
