/** The cluster itself, images for it, and its settings. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  ROOT,
  DIGEST,
  START,
  DOCKER_ENV,
  folder,
  program,
  run,
  calls,
} from '../testing/minikube-programs.ts'

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

test('.krectl.conf says what holds without it', async () => {
  const text = await readFile(join(ROOT, '.krectl.conf'), 'utf8')
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
