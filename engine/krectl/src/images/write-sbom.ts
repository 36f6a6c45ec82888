/** The bill of materials of an image, as CycloneDX 1.6 JSON: a pure function of what goes into it. */
import { createHash } from 'node:crypto'
import type { LockedPackage } from './lock-tree.ts'

/** A package of the base, as Debian lists it. */
export type DebianPackage = { name: string; version: string; architecture: string }

export type SbomInput = {
  /** Of the image, as in `kre/engine`. */
  name: string
  version: string
  description: string
  packages: readonly LockedPackage[]
  /** `protobuf==6.33.6`. */
  wheels: readonly string[]
  base: {
    /** What the Containerfile's FROM is. */
    reference: string
    /** Null = the base has a bill of its own. */
    nodeVersion: string | null
    debian: readonly DebianPackage[]
  }
}

type Component = {
  type: 'library' | 'application' | 'container'
  'bom-ref': string
  name: string
  version?: string
  purl?: string
  licenses?: readonly object[]
  hashes?: readonly object[]
}

/** Of SPDX: identifiers with AND, OR, WITH and brackets. */
const EXPRESSION = /^\(?[\w.+-]+(?:[ ()]+[\w.+-]+)*\)?$/

/** The same input gives the same text; there is no time in it, and its number is made of its content. */
export function writeSbom(input: SbomInput): string {
  const { name, version, description } = input
  const components = componentsOf(input)
  const root = {
    type: 'container',
    'bom-ref': 'image',
    name,
    version,
    description,
    licenses: [{ license: { id: 'Apache-2.0' } }],
  }
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: root },
    components,
    dependencies: [
      { ref: 'image', dependsOn: components.map((component) => component['bom-ref']) },
    ],
  }
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(document))}`
  return `${JSON.stringify({ ...document, serialNumber }, null, 2)}\n`
}

function componentsOf({ packages, wheels, base }: SbomInput): Component[] {
  const all = [
    ...packages.map(npmComponent),
    ...wheels.map(wheelComponent),
    ...base.debian.map(debianComponent),
    ...(base.nodeVersion === null ? [] : [nodeComponent(base.nodeVersion)]),
    baseComponent(base.reference),
  ]
  // A package that npm has laid down in two folders is one component.
  const byRef = new Map(all.map((component) => [component['bom-ref'], component]))
  return [...byRef.values()].toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
}

function npmComponent(entry: LockedPackage): Component {
  const { name, version, license, integrity, isOurs } = entry
  const purl = `pkg:npm/${name.replace(/^@/, '%40')}@${encodeURIComponent(version)}`
  const digest = /^sha512-([A-Za-z0-9+/=]+)$/.exec(integrity ?? '')?.[1]
  return {
    type: isOurs ? 'application' : 'library',
    'bom-ref': purl,
    name,
    version,
    // Ours are in no registry.
    ...(isOurs ? {} : { purl }),
    ...licensesOf(license),
    ...(digest === undefined
      ? {}
      : { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
  }
}

function licensesOf(license: string | null): Pick<Component, 'licenses'> {
  if (license === null) return {}
  if (EXPRESSION.test(license) && !license.startsWith('SEE '))
    return { licenses: [{ expression: license }] }
  return { licenses: [{ license: { name: license } }] }
}

function wheelComponent(wheel: string): Component {
  const [name = '', version = ''] = wheel.split('==')
  const purl = `pkg:pypi/${name}@${version}`
  return { type: 'library', 'bom-ref': purl, name, version, purl }
}

function debianComponent({ name, version, architecture }: DebianPackage): Component {
  const of = `${encodeURIComponent(name)}@${encodeURIComponent(version)}`
  const purl = `pkg:deb/debian/${of}?arch=${architecture}`
  return { type: 'library', 'bom-ref': purl, name, version, purl }
}

function nodeComponent(version: string): Component {
  const purl = `pkg:generic/node@${version}`
  return { type: 'application', 'bom-ref': purl, name: 'node', version, purl }
}

function baseComponent(reference: string): Component {
  return { type: 'container', 'bom-ref': `base:${reference}`, name: reference }
}

/** A UUID of version 8: of our own making, from a digest. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ]
  return parts.join('-')
}
