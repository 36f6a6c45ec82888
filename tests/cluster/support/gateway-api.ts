/** The Gateway API, which clusters have only when somebody installs it: its definitions come from its Go module. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { installDefinitions } from './definitions.ts'

const MODULE = 'sigs.k8s.io/gateway-api@v1.3.0'
const ROUTES = ['httproutes', 'grpcroutes']

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
  return installDefinitions(
    admin,
    ROUTES.map((kind) => join(folder, `gateway.networking.k8s.io_${kind}.yaml`)),
  )
}
