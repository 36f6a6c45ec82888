/** Definitions of kinds that clusters have only when somebody installs them. */
import { readFile } from 'node:fs/promises'
import { waitUntil } from '@kre/service-kit'
import { parse } from 'yaml'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask, make } from './test-cluster.ts'

type Definition = {
  metadata: { name: string }
  spec: { group: string; names: { plural: string }; versions: { name: string; served: boolean }[] }
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/**
 * Resolves when all of them are served; disposing takes them away again, with the objects of these kinds.
 *
 * @param files with one definition each.
 */
export async function installDefinitions(
  admin: Cluster,
  files: readonly string[],
): Promise<AsyncDisposable> {
  const names: string[] = []
  for (const file of files) {
    const definition = parse(await readFile(file, 'utf8')) as Definition
    const { group, names: kind, versions } = definition.spec
    const { name } = definition.metadata
    names.push(name)
    await make(admin, `${DEFINITIONS}/${name}`, definition)
    const version = versions.find(({ served }) => served)?.name ?? ''
    await waitUntil(`${name} is served`, async () =>
      isThere(admin, `/apis/${group}/${version}/${kind.plural}`),
    )
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const name of names) {
        const path = `${DEFINITIONS}/${name}`
        await ask(admin, 'DELETE', path)
        await waitUntil(`${name} is gone`, async () => !(await isThere(admin, path)))
      }
    },
  }
}

async function isThere(admin: Cluster, path: string): Promise<boolean> {
  return ask(admin, 'GET', path).then(
    () => true,
    () => false,
  )
}
