/** Helm, as `./krectl.sh test --cluster` has built it. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { CHART, valuesFile, type Variant } from './chart-files.ts'

const run = promisify(execFile)
const helm = process.env['KRE_TEST_HELM'] ?? ''

/** Whether it is there. */
export const hasHelm = helm !== ''
if (!hasHelm)
  process.stderr.write(
    'skipped: tests of the chart with Helm. KRE_TEST_HELM is not set: run ./krectl.sh test --cluster\n',
  )

/** An object of Kubernetes, as a template makes it. */
export type Manifest = {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  spec?: unknown
  data?: Record<string, string>
  rules?: unknown
}

/** @throws Error with what Helm wrote to standard error. */
export async function runHelm(args: readonly string[], kubeconfig?: string): Promise<string> {
  const where = kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }
  const { stdout } = await run(helm, [...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...where },
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}

export const RELEASE = 'kre'

/** What the chart makes of a values file, without a cluster. */
export async function render(
  variant: Variant,
  namespace = 'kre',
  more: readonly string[] = [],
): Promise<Manifest[]> {
  const where = ['--namespace', namespace, '--kube-version', '1.34.2']
  const text = await runHelm([
    'template',
    RELEASE,
    CHART,
    ...where,
    '--values',
    valuesFile(variant),
    ...more,
  ])
  return parseManifests(text)
}

export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((object): object is Manifest => object !== null)
}
