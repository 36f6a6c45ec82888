/** The programs that commands for minikube call, as scripts on the PATH that write down how they are called. */
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach } from '@jest/globals'
import { IMAGE_NAMES } from '../images/image-list.ts'
import { krectl } from './krectl.ts'

export const ROOT = resolve(import.meta.dirname, '../../../..')
export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
export const TOKEN = 'token-of-the-first-administrator'
export const START =
  'minikube start -p kre-local --cpus=4 --memory=8192 --kubernetes-version=1.34.0 --disk-size=40g --driver=docker --addons=ingress,metrics-server,registry,storage-provisioner'
export const NAMESPACE = 'kubectl --context kre-local get namespace kre --ignore-not-found -o name'
export const CREATE = 'kubectl --context kre-local create namespace kre'
export const SECRET =
  'kubectl --context kre-local --namespace kre get secret kre-mongodb --ignore-not-found -o name'
export const MAKE_MONGODB =
  'kubectl --context kre-local --namespace kre apply --server-side --field-manager krectl --filename -'
export const AWAIT_MONGODB =
  'kubectl --context kre-local --namespace kre rollout status statefulset/kre-mongodb --timeout 15m'
export const DOCKER_ENV = 'minikube -p kre-local docker-env --shell none'

/** Of the test that runs. */
export let folder: string
let bin: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'krectl-minikube-'))
  bin = join(folder, 'bin')
  await mkdir(bin)
  await mkdir(join(folder, 'cache', 'images'), { recursive: true })
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

/** A program on the PATH. @param body of a shell script; `$*` is how it was called. */
export async function program(name: string, body = ''): Promise<void> {
  const script = `#!/bin/sh\necho "${name} $*" >>'${join(folder, 'calls')}'\n${body}\n`
  await writeFile(join(bin, name), script)
  await chmod(join(bin, name), 0o755)
}

/** A kubectl that finds what is there, and forwards to a port. */
export async function kubectl({
  has = ['namespace/kre', 'secret/kre-mongodb'],
  port = 0,
  rollout = 'true',
} = {}): Promise<void> {
  const find = (name: string) => (has.includes(name) ? `echo ${name}` : 'true')
  await program(
    'kubectl',
    `case "$*" in
      *"get namespace"*) ${find('namespace/kre')} ;;
      *"get secret kre-mongodb"*) ${find('secret/kre-mongodb')} ;;
      *"get secret kre-local-keys"*) printf '%s' '${TOKEN}' ;;
      *apply*) /bin/cat >'${join(folder, 'applied')}' ;;
      *"rollout status"*) ${rollout} ;;
      *port-forward*) echo $$ >'${join(folder, 'forwarder')}'; echo "Forwarding from 127.0.0.1:${port} -> 4000"; exec /bin/sleep 60 ;;
    esac`,
  )
}

/** An engine behind kubectl that answers each request with the same document, and remembers who asked. */
export async function engine(answer: object) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    asked,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Images that were built for the cluster before. */
export async function pushed(): Promise<void> {
  const images = IMAGE_NAMES.map((name) => [name, `localhost:5000/kre/${name}@${DIGEST}`])
  const text = JSON.stringify(Object.fromEntries(images))
  await writeFile(join(folder, 'cache', 'images', 'minikube.json'), text)
}

/** All that a deployment calls, and images to deploy. */
export async function readyToDeploy(cluster: Parameters<typeof kubectl>[0] = {}): Promise<void> {
  await kubectl(cluster)
  await program('helm')
  await pushed()
}

/** One command line, with nothing else on the PATH. */
export const run = async (line: string, environment: Record<string, string> = {}) =>
  krectl(line.split(' '), {
    cwd: folder,
    environment: { PATH: bin, KRE_CACHE: join(folder, 'cache'), ...environment },
  })
/** How the programs were called, in order. */
export const calls = async () =>
  (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').slice(0, -1)
/** Where `deploy` writes what it gives to helm. */
export const values = () => join(folder, 'cache', 'images', 'values.json')
export const helm = () =>
  `helm upgrade --install kre-local ${ROOT}/helm/kre --kube-context kre-local --namespace kre --values ${values()} --wait --timeout 15m`
