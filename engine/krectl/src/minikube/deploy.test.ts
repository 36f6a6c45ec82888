/** The product on the cluster: installed, opened, with a MongoDB, and all at once. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readClusterSettings } from './cluster-settings.ts'
import { mongodbObjects } from './mongodb-objects.ts'
import {
  DIGEST,
  TOKEN,
  START,
  NAMESPACE,
  CREATE,
  SECRET,
  MAKE_MONGODB,
  AWAIT_MONGODB,
  DOCKER_ENV,
  folder,
  program,
  kubectl,
  engine,
  pushed,
  readyToDeploy,
  run,
  calls,
  values,
  helm,
} from '../testing/minikube-programs.ts'

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
