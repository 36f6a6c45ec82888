import { describe, expect, test } from '@jest/globals'
import type { LockedPackage } from './lock-tree.ts'
import { writeSbom, type SbomInput } from './write-sbom.ts'

const zod: LockedPackage = {
  path: 'node_modules/zod',
  name: 'zod',
  version: '4.6.7',
  license: 'MIT',
  integrity: 'sha512-/wA=',
  isOurs: false,
}
const input: SbomInput = {
  name: 'kre/engine',
  version: '0.1.0',
  description: 'The engine',
  packages: [zod],
  wheels: [],
  base: { reference: 'base@sha256:00', nodeVersion: null, debian: [] },
}
type Sbom = {
  serialNumber: string
  components: { 'bom-ref': string; name: string; purl?: string; licenses?: object[] }[]
  dependencies: { dependsOn: string[] }[]
}
const sbomOf = (changes: Partial<SbomInput>): Sbom =>
  JSON.parse(writeSbom({ ...input, ...changes })) as Sbom

describe('the bill of materials', () => {
  test('is CycloneDX 1.6 with a package by name, version, address, licence and digest', () => {
    expect(JSON.parse(writeSbom(input))).toEqual({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: expect.stringMatching(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      version: 1,
      metadata: {
        component: {
          type: 'container',
          'bom-ref': 'image',
          name: 'kre/engine',
          version: '0.1.0',
          description: 'The engine',
          licenses: [{ license: { id: 'Apache-2.0' } }],
        },
      },
      components: [
        { type: 'container', 'bom-ref': 'base:base@sha256:00', name: 'base@sha256:00' },
        {
          type: 'library',
          'bom-ref': 'pkg:npm/zod@4.6.7',
          name: 'zod',
          version: '4.6.7',
          purl: 'pkg:npm/zod@4.6.7',
          licenses: [{ expression: 'MIT' }],
          hashes: [{ alg: 'SHA-512', content: 'ff00' }],
        },
      ],
      dependencies: [{ ref: 'image', dependsOn: ['base:base@sha256:00', 'pkg:npm/zod@4.6.7'] }],
    })
  })

  test('names packages of every kind by their address', () => {
    const { components } = sbomOf({
      packages: [
        { ...zod, name: '@nats-io/kv' },
        { ...zod, path: 'engine/contracts', name: '@kre/contracts', isOurs: true },
      ],
      wheels: ['protobuf==6.33.6'],
      base: {
        reference: 'base',
        nodeVersion: '24.21.0',
        debian: [{ name: 'libstdc++6', version: '12.2.0-14+deb12u1', architecture: 'amd64' }],
      },
    })
    expect(components.flatMap(({ purl }) => purl ?? [])).toEqual([
      'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64',
      'pkg:generic/node@24.21.0',
      'pkg:npm/%40nats-io/kv@4.6.7',
      'pkg:pypi/protobuf@6.33.6',
    ])
  })

  test.each([
    ['(MIT OR Apache-2.0)', [{ expression: '(MIT OR Apache-2.0)' }]],
    ['SEE LICENSE IN license.txt', [{ license: { name: expect.any(String) } }]],
    [null, undefined],
  ])('writes the licence %j as the format wants it', (license, licenses) => {
    const found = sbomOf({ packages: [{ ...zod, license }] }).components.at(-1)
    expect(found?.licenses).toEqual(licenses)
  })

  test('has a package in two folders once, and is the same whatever their order', () => {
    const nested = { ...zod, path: 'engine/bundle/node_modules/zod' }
    const yaml = { ...zod, path: 'node_modules/yaml', name: 'yaml' }
    const one = sbomOf({ packages: [zod, yaml, nested] })
    expect(one.components).toHaveLength(3)
    expect(sbomOf({ packages: [nested, zod, yaml] })).toEqual(one)
    expect(sbomOf({ packages: [zod] }).serialNumber).not.toBe(one.serialNumber)
  })
})
