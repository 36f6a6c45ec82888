/** The commands for minikube, against programs that write down how they are called. */
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readClusterSettings } from './cluster-settings.ts'
import { mongodbObjects } from './mongodb-objects.ts'
import { IMAGE_NAMES } from '../images/image-list.ts'
import { krectl } from '../testing/krectl.ts'

const root = resolve(import.meta.dirname, '../../../..')
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const TOKEN = 'token-of-the-first-administrator'
const START =
  'minikube start -p kre-local --cpus=4 --memory=8192 --kubernetes-version=1.34.0 --disk-size=40g --driver=docker --addons=ingress,metrics-server,registry,storage-provisioner'
const NAMESPACE = 'kubectl --context kre-local get namespace kre --ignore-not-found -o name'
const CREATE = 'kubectl --context kre-local create namespace kre'
const SECRET =
  'kubectl --context kre-local --namespace kre get secret kre-mongodb --ignore-not-found -o name'
const MAKE_MONGODB =
  'kubectl --context kre-local --namespace kre apply --server-side --field-manager krectl --filename -'
const AWAIT_MONGODB =
  'kubectl --context kre-local --namespace kre rollout status statefulset/kre-mongodb --timeout 15m'
const DOCKER_ENV = 'minikube -p kre-local docker-env --shell none'
let folder: string
let bin: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'krectl-minikube-'))
  bin = join(folder, 'bin')
  await mkdir(bin)
  await mkdir(join(folder, 'cache', 'images'), { recursive: true })
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

/** A program on the PATH. @param body of a shell script; `$*` is how it was called. */
async function program(name: string, body = ''): Promise<void> {
  const script = `#!/bin/sh\necho "${name} $*" >>'${join(folder, 'calls')}'\n${body}\n`
  await writeFile(join(bin, name), script)
  await chmod(join(bin, name), 0o755)
}

/** A kubectl that finds what is there, and forwards to a port. */
async function kubectl({
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
async function engine(answer: object) {
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
async function pushed(): Promise<void> {
  const images = IMAGE_NAMES.map((name) => [name, `localhost:5000/kre/${name}@${DIGEST}`])
  const text = JSON.stringify(Object.fromEntries(images))
  await writeFile(join(folder, 'cache', 'images', 'minikube.json'), text)
}

/** All that a deployment calls, and images to deploy. */
async function readyToDeploy(cluster: Parameters<typeof kubectl>[0] = {}): Promise<void> {
  await kubectl(cluster)
  await program('helm')
  await pushed()
}

const run = async (line: string, environment: Record<string, string> = {}) =>
  krectl(line.split(' '), {
    cwd: folder,
    environment: { PATH: bin, KRE_CACHE: join(folder, 'cache'), ...environment },
  })
const calls = async () =>
  (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').slice(0, -1)

describe('start and stop', () => {
  test('call minikube with the settings', async () => {
    await program('minikube')
    expect(await run('start')).toMatchObject({ code: 0, stdout: expect.stringContaining('is up') })
    expect(await run('stop --target minikube')).toMatchObject({ code: 0 })
    expect(await calls()).toEqual([START, 'minikube stop -p kre-local'])
  })

  test('say with --dry-run what they would call', async () => {
    expect(await run('start --dry-run')).toMatchObject({ code: 0, stdout: `${START}\n` })
  })

  test('take every setting from the environment, and stop goes by KRECTL_TARGET', async () => {
    await program('minikube')
    const environment = {
      MINIKUBE_PROFILE: 'other',
      MINIKUBE_CPUS: '2',
      MINIKUBE_MEMORY: '6g',
      MINIKUBE_KUBERNETES_VERSION: 'v1.31.4',
      MINIKUBE_DISK_SIZE: '20g',
      MINIKUBE_DRIVER: 'kvm2',
      KRECTL_TARGET: 'minikube',
    }
    await run('start', environment)
    await run('stop', environment)
    expect(await calls()).toEqual([
      'minikube start -p other --cpus=2 --memory=6g --kubernetes-version=v1.31.4 --disk-size=20g --driver=kvm2 --addons=ingress,metrics-server,registry,storage-provisioner',
      'minikube stop -p other',
    ])
  })

  test('say what failed, with the last words of the program', async () => {
    await program('minikube', 'echo "X Exiting due to PROVIDER_DOCKER_NOT_RUNNING" >&2; exit 69')
    const { code, stderr } = await run('start')
    expect(code).toBe(1)
    expect(stderr).toMatch(/krectl: "minikube start .*" ended with exit code 69: X Exiting due to/)
  })

  test('say that minikube is missing, and what works without it', async () => {
    expect(await run('start')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/minikube is not on the PATH.*krectl dev/s),
    })
  })

  test('name all settings that are wrong, and call nothing', async () => {
    await program('minikube')
    const wrong = { MINIKUBE_CPUS: 'many', NAMESPACE: '-x', MINIKUBE_DRIVER: 'a b' }
    const { code, stderr } = await run('start', wrong)
    expect({ code, calls: await calls() }).toEqual({ code: 2, calls: [] })
    for (const name of Object.keys(wrong)) expect(stderr).toContain(`${name}: `)
  })

  test.each(['stop --target cloud', 'login --target x', 'build --target x', 'dev --target x'])(
    '"%s" is wrong usage',
    async (line) => {
      expect((await run(line)).code).toBe(2)
    },
  )
})

describe('build --target minikube', () => {
  const docker = `case "$*" in *inspect*RepoDigests*) echo localhost:5000/kre/entrypoint@${DIGEST} ;; *inspect*) echo ${DIGEST} ;; esac\necho "$DOCKER_HOST $EVIL" >&2`

  test('builds by the Docker of the cluster, pushes, and remembers the digest', async () => {
    await program(
      'minikube',
      `printf 'DOCKER_HOST=tcp://10.0.0.1:2376\\nDOCKER_TLS_VERIFY=1\\nEVIL=1\\nMINIKUBE_ACTIVE_DOCKERD=kre-local\\n'`,
    )
    await program('docker', docker)
    const { code, stderr } = await run('build entrypoint --target minikube')
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('tcp://10.0.0.1:2376 \n'),
    })
    const [first, build, , push, inspect, ...rest] = await calls()
    expect(first).toBe(DOCKER_ENV)
    expect(build).toMatch(
      /^docker build --file .*Containerfile --tag localhost:5000\/kre\/entrypoint:local /,
    )
    expect(push).toBe('docker push localhost:5000/kre/entrypoint:local')
    expect(inspect).toContain('RepoDigests')
    expect(rest).toEqual([])
    const file = join(folder, 'cache', 'images', 'minikube.json')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      entrypoint: `localhost:5000/kre/entrypoint@${DIGEST}`,
    })
  })

  test.each([
    ['minikube', 'exit 3', 'docker-env'],
    ['minikube', 'echo nothing', 'names no Docker'],
    ['docker', 'exit 4', 'docker build'],
    ['docker', `case "$1" in push) echo denied >&2; exit 1 ;; esac`, 'denied'],
  ])('ends where %s does %j, and remembers nothing', async (name, body, reason) => {
    await program('minikube', 'echo DOCKER_HOST=tcp://10.0.0.1:2376')
    await program('docker', docker)
    await program(name, body)
    expect(await run('build entrypoint --target minikube')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(reason),
    })
    await expect(readFile(join(folder, 'cache', 'images', 'minikube.json'))).rejects.toThrow(
      'ENOENT',
    )
  })
})

describe('build', () => {
  test('calls the builder that is named, for the architecture and on the bases that are named', async () => {
    await program('podman', `case "$*" in *inspect*) echo ${DIGEST} ;; esac`)
    const base = `registry.example/base@${DIGEST}`
    const { code, stdout } = await run(
      `build entrypoint --engine podman --arch arm64 --repository registry.example/kre --tag v1 --no-size --node-base ${base} --python-base ${base} --json`,
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([
      { image: 'entrypoint', reference: 'registry.example/kre/entrypoint:v1', id: DIGEST },
    ])
    const [build = '', ...rest] = await calls()
    expect(rest).toEqual([expect.stringContaining('image inspect')])
    for (const words of ['--platform linux/arm64', '--target entrypoint', `NODE_BASE=${base}`])
      expect(build).toContain(words)
    const bill = join(folder, 'cache', 'images', 'entrypoint.cdx.json')
    expect(await readFile(bill, 'utf8')).toContain('"bomFormat": "CycloneDX"')
  })

  test('takes podman before Docker, and says what it tells when it fails', async () => {
    await program('podman', 'echo "no space left" >&2; exit 125')
    await program('docker')
    expect(await run('build entrypoint')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/"podman build .*" ended with exit code 125: no space left/),
    })
  })

  test.each([
    ['build entrypoint', 1, 'none of podman, buildah, docker'],
    ['build cathedral', 2, 'there is no image "cathedral"'],
    ['build --engine hammer', 2, '--engine is one of'],
    ['build --engine podman --arch s390x', 2, '--arch is amd64 or arm64'],
    ['build --engine podman --base sand', 2, '--base is distroless or debian'],
    ['build --engine podman --tag -x', 2, '--tag'],
    ['build --engine podman --repository $(x)', 2, '--repository'],
    ['build entrypoint --engine podman', 1, 'podman is not on the PATH'],
  ])('"%s" ends with exit code %d', async (line, code, reason) => {
    expect(await run(line)).toMatchObject({ code, stderr: expect.stringContaining(reason) })
  })
})

const values = () => join(folder, 'cache', 'images', 'values.json')
const helm = () =>
  `helm upgrade --install kre-local ${root}/helm/kre --kube-context kre-local --namespace kre --values ${values()} --wait --timeout 15m`

describe('deploy', () => {
  test('looks for the namespace and the Secret, and calls helm', async () => {
    await readyToDeploy()
    expect(await run('deploy')).toMatchObject({ code: 0 })
    expect(await calls()).toEqual([NAMESPACE, SECRET, helm()])
    expect(JSON.parse(await readFile(values(), 'utf8'))).toMatchObject({
      fullnameOverride: 'kre-local',
      config: {
        admin: { frontendBaseURL: 'http://localhost:4000' },
        mongodb: { connectionString: { secretName: 'kre-mongodb' } },
      },
      engine: { replicas: 1, image: { repository: 'localhost:5000/kre/engine', digest: DIGEST } },
      versions: {
        images: { onnx: { repository: 'localhost:5000/kre/runner-onnx', digest: DIGEST } },
      },
      ingress: { enabled: false },
    })
  })

  test('has an Ingress where browsers come by a name', async () => {
    await readyToDeploy()
    await run('deploy', { KRE_ADMIN_FRONTEND_BASE_URL: 'https://admin.kre.local' })
    expect(JSON.parse(await readFile(values(), 'utf8'))).toMatchObject({
      ingress: { enabled: true, tls: { enabled: true, secretName: 'kre-local-tls' } },
    })
  })

  test('says with --dry-run what it would call, by the settings, and calls nothing', async () => {
    const { code, stdout } = await run('deploy --dry-run --create-namespace', { NAMESPACE: 'x' })
    expect(code).toBe(0)
    expect(stdout).toContain('kubectl --context kre-local create namespace x\n')
    expect(stdout).toMatch(
      /^helm upgrade --install kre-local \S+ --kube-context kre-local --namespace x /m,
    )
    expect(await calls()).toEqual([])
  })

  test('builds first with --build, and installs nothing when that fails', async () => {
    await kubectl()
    await program('helm')
    await program('minikube', 'exit 9')
    await writeFile(join(folder, 'more.yaml'), '')
    expect((await run('deploy --build --values more.yaml')).code).toBe(1)
    expect(await calls()).toEqual([NAMESPACE, SECRET, DOCKER_ENV])
    await pushed()
    await run('deploy -f more.yaml')
    expect((await calls()).at(-1)).toContain(
      `--values ${values()} --values ${join(folder, 'more.yaml')} `,
    )
  })

  test('makes no namespace unasked', async () => {
    await readyToDeploy({ has: ['secret/kre-mongodb'] })
    expect(await run('deploy')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no namespace "kre".*--create-namespace/),
    })
    expect(await run('deploy --create-namespace')).toMatchObject({ code: 0 })
    expect(await calls()).toEqual([NAMESPACE, NAMESPACE, CREATE, SECRET, helm()])
  })

  test.each([
    [
      'a Secret with the connection string',
      ['namespace/kre'],
      /no Secret "kre-mongodb".*--from-file/,
    ],
    ['images', undefined, /"engine" was not built.*krectl build --target minikube/],
  ])('does not call helm without %s', async (_what, has, reason) => {
    await kubectl(has === undefined ? {} : { has })
    await program('helm')
    expect(await run('deploy')).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) })
    expect((await calls()).filter((call) => call.startsWith('helm'))).toEqual([])
  })

  test.each([
    [
      'kubectl',
      'echo "The connection to the server was refused" >&2; exit 1',
      /get namespace.*was refused/,
    ],
    [
      'helm',
      'echo "Error: context deadline exceeded" >&2; exit 1',
      /helm upgrade.*deadline exceeded/,
    ],
  ])('says what %s said when it fails', async (name, body, reason) => {
    await readyToDeploy()
    await program(name, body)
    expect(await run('deploy')).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) })
  })

  test('refuses values that are not there before it calls anything', async () => {
    expect(await run('deploy --values nowhere.yaml')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere.yaml'),
    })
    expect(await calls()).toEqual([])
  })
})

describe('login --target minikube', () => {
  test('asks the engine through kubectl, with the token of the installation', async () => {
    await using it = await engine({ url: 'http://localhost:4000/signin/once' })
    await kubectl({ port: it.port })
    const { code, stdout, stderr } = await run('login --new --target minikube')
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Calling Admin API...\n' })
    expect(stdout).toBe(
      'Login done. Leave this running meanwhile:\n\n  kubectl --context kre-local --namespace kre port-forward service/kre-local-engine 4000:80\n\nOpen your browser at:\n\n  http://localhost:4000/signin/once\n\nDone.\n',
    )
    expect(it.asked).toEqual([`POST /api/v1/auth/login-link?new=1 Bearer ${TOKEN}`])
    expect((await calls()).at(-1)).toContain('port-forward service/kre-local-engine :80')
    expect((await calls()).join('\n')).not.toContain(TOKEN)
  })

  test('says how this computer finds an Ingress by its name', async () => {
    await using it = await engine({ url: 'http://admin.kre.local/signin/once' })
    await kubectl({ port: it.port })
    const environment = { KRE_ADMIN_FRONTEND_BASE_URL: 'http://admin.kre.local' }
    expect((await run('login --target minikube', environment)).stdout).toBe(
      'Login done. Where this computer does not know the name yet:\n\n  echo "$(minikube -p kre-local ip) admin.kre.local" | sudo tee -a /etc/hosts\n\nOpen your browser at:\n\n  http://admin.kre.local/signin/once\n\nDone.\n',
    )
  })

  test.each([
    ['echo "secrets not found" >&2; exit 1', 'secrets not found'],
    ['true', 'holds no token'],
    [`case "$*" in *secret*) echo ${TOKEN} ;; *) echo "no pods" >&2; exit 1 ;; esac`, 'no pods'],
  ])('says why there is no link when kubectl does %j', async (body, reason) => {
    await program('kubectl', body)
    expect(await run('login --target minikube')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(reason),
    })
  })
})

describe('a MongoDB for development', () => {
  test('is made where the Secret is not there, with a password that no list of processes shows', async () => {
    await readyToDeploy({ has: ['namespace/kre'] })
    expect(await run('deploy --with-mongodb')).toMatchObject({ code: 0 })
    expect(await calls()).toEqual([NAMESPACE, SECRET, MAKE_MONGODB, AWAIT_MONGODB, helm()])
    const { items } = JSON.parse(await readFile(join(folder, 'applied'), 'utf8')) as {
      items: { kind: string; stringData?: Record<string, string> }[]
    }
    expect(items.map(({ kind }) => kind)).toEqual(['Secret', 'Service', 'StatefulSet'])
    const { uri = '', password = '' } = items[0]?.stringData ?? {}
    expect(new URL(uri)).toMatchObject({ password, hostname: 'kre-mongodb.kre.svc', port: '27017' })
    expect(password).toMatch(/^[\w-]{32}$/)
  })

  test('is not made where somebody has named another one', async () => {
    await readyToDeploy()
    expect(await run('deploy --with-mongodb')).toMatchObject({ code: 0 })
    expect(await calls()).toEqual([NAMESPACE, SECRET, helm()])
  })

  test('that does not come up is said, and nothing is installed', async () => {
    await readyToDeploy({ has: ['namespace/kre'], rollout: 'echo "timed out waiting" >&2; exit 1' })
    expect(await run('deploy --with-mongodb')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('timed out waiting'),
    })
    expect((await calls()).at(-1)).toBe(AWAIT_MONGODB)
  })

  test('has another password each time, and the image that is named', () => {
    const settings = readClusterSettings({ KRE_MONGODB_IMAGE: 'mirror.example/mongo:7' })
    expect(JSON.stringify(mongodbObjects(settings, 'secret'))).toContain('mirror.example/mongo:7')
  })
})

describe('KRECTL_TARGET=minikube', () => {
  const environment = { KRECTL_TARGET: 'minikube', KRE_DATA: '' }

  test('leads commands to the engine in the cluster, and ends the way there with them', async () => {
    await using it = await engine({ data: { runtimes: [] } })
    await kubectl({ port: it.port })
    expect(await run('runtime list', environment)).toMatchObject({ code: 0 })
    expect(it.asked).toEqual([expect.stringMatching(`^POST .* Bearer ${TOKEN}$`)])
    const pid = Number(await readFile(join(folder, 'forwarder'), 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('does not when another engine is named', async () => {
    await kubectl()
    for (const line of ['--data nowhere', '--profile nobody'])
      expect((await run(`runtime list ${line}`, environment)).code).not.toBe(0)
    expect(await calls()).toEqual([])
  })

  test('leads nothing there that is about this computer, or was told to be', async () => {
    await kubectl()
    expect(await run('keys reset --yes', environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('KRECTL_TARGET=minikube'),
    })
    const local = { KRECTL_TARGET: 'minikube' }
    expect((await run('login --target local', local)).code).toBe(69)
    expect((await run('stop --target local', local)).code).toBe(0)
    expect(await calls()).toEqual([])
  })

  test('says what is missing in the cluster', async () => {
    await program('kubectl', 'echo "secrets kre-local-keys not found" >&2; exit 1')
    expect(await run('delete version lab v1 --yes', environment)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not found'),
    })
  })
})

describe('dev --target minikube', () => {
  test('starts the cluster, makes the namespace, and builds; what fails is where it ends', async () => {
    await kubectl({ has: ['secret/kre-mongodb'] })
    await program('minikube', `case "$*" in *docker-env*) echo "no docker" >&2; exit 5 ;; esac`)
    expect(await run('dev --target minikube')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/docker-env.* ended with exit code 5: no docker/),
    })
    expect(await calls()).toEqual([START, NAMESPACE, CREATE, SECRET, DOCKER_ENV])
  })

  test('makes a MongoDB where none is named', async () => {
    await kubectl({ has: [] })
    await program('minikube', `case "$*" in *docker-env*) exit 5 ;; esac`)
    await run('dev --target minikube')
    expect(await calls()).toEqual([
      START,
      NAMESPACE,
      CREATE,
      SECRET,
      MAKE_MONGODB,
      AWAIT_MONGODB,
      DOCKER_ENV,
    ])
  })

  test('brings everything up with images of before, and prints a link', async () => {
    await using it = await engine({ url: 'http://localhost:4000/signin/once' })
    await kubectl({ has: [], port: it.port })
    await program('minikube')
    await program('helm')
    await pushed()
    const { code, stdout } = await run('dev --skip-build --target minikube')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('http://localhost:4000/signin/once'),
    })
    const [token, forward, ...rest] = (await calls()).slice(-2)
    expect((await calls()).slice(0, -2)).toEqual([
      START,
      NAMESPACE,
      CREATE,
      SECRET,
      MAKE_MONGODB,
      AWAIT_MONGODB,
      helm(),
    ])
    expect([token, forward, rest]).toEqual([
      expect.stringContaining('get secret kre-local-keys'),
      expect.stringContaining('port-forward'),
      [],
    ])
  })

  test('ends when the cluster does not start', async () => {
    await kubectl()
    await program('minikube', 'exit 1')
    expect((await run('dev --target minikube')).code).toBe(1)
    expect(await calls()).toEqual([START])
  })
})

describe('delete', () => {
  test.each([
    ['delete version lab', 'RUNTIME VERSION'],
    ['delete version other lab v1', `namespace is "kre"`],
    ['delete runtime', 'missing required argument'],
    ['delete runtime a b c', 'RUNTIME'],
  ])('"%s" is wrong usage', async (line, reason) => {
    expect(await run(line)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) })
  })

  test.each(['delete version lab v1', 'delete version kre lab v1', 'delete runtime kre lab'])(
    '"%s" asks the engine',
    async (line) => {
      expect((await run(line)).code).toBe(69)
    },
  )
})

test('.krectl.conf says what holds without it', async () => {
  const text = await readFile(join(root, '.krectl.conf'), 'utf8')
  const pairs = text.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
    return name === '' ? [] : [[name, value] as const]
  })
  await program('minikube')
  const withFile = Object.fromEntries(pairs)
  expect(Object.keys(withFile)).toEqual(
    expect.arrayContaining(['NAMESPACE', 'RELEASE_NAME', 'MINIKUBE_PROFILE', 'MINIKUBE_MEMORY']),
  )
  await run('start', withFile)
  expect(await run('deploy --dry-run', withFile)).toEqual(await run('deploy --dry-run'))
  expect(await calls()).toEqual([START])
})
