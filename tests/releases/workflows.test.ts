/** The workflows of GitHub: what can be checked of them without GitHub. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { IMAGE_NAMES } from '../../engine/krectl/src/images/image-list.ts'
import { krectl } from '../../engine/krectl/src/testing/krectl.ts'
import { root } from '../support/kre.ts'

const Permissions = z.record(z.string(), z.enum(['read', 'write', 'none']))
const Step = z.looseObject({ uses: z.string().optional(), run: z.string().optional() })
const Job = z.looseObject({
  uses: z.string().optional(),
  steps: z.array(Step).default([]),
  permissions: Permissions.optional(),
  'runs-on': z.string().optional(),
  'timeout-minutes': z.number().optional(),
  needs: z.union([z.string(), z.array(z.string())]).optional(),
  with: z.record(z.string(), z.unknown()).default({}),
})
const Workflow = z.looseObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: Permissions,
  env: z.record(z.string(), z.string()).default({}),
  jobs: z.record(z.string(), Job),
})
type Workflow = z.infer<typeof Workflow>

const folder = join(root, '.github/workflows')
const files = readdirSync(folder)
const workflows = files.map((file): [string, Workflow] => {
  const text = readFileSync(join(folder, file), 'utf8')
  return [file, Workflow.parse(parse(text, { strict: true, uniqueKeys: true }))]
})
const named = new Map(workflows)
const jobsOf = ({ jobs }: Workflow) => Object.entries(jobs)
const runsOf = (workflow: Workflow) =>
  jobsOf(workflow).flatMap(([, { steps }]) => steps.flatMap(({ run }) => run ?? []))

test('there is one for checks, images, chart, and every kind of release', () => {
  const wanted = ['alpha', 'chart', 'checks', 'fix', 'images', 'publish', 'release']
  expect(files.toSorted()).toEqual(wanted.map((name) => `${name}.yml`))
})

describe.each(workflows)('%s', (_file, workflow) => {
  test('may read the sources and nothing else, but where a job says more', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
    for (const [name, { permissions = {} }] of jobsOf(workflow)) {
      const written = Object.keys(permissions).filter((key) => permissions[key] === 'write')
      expect({
        name,
        unknown: written.filter((key) => !/^(?:contents|packages)$/.test(key)),
      }).toEqual({
        name,
        unknown: [],
      })
    }
  })

  test('uses actions by the hash of their commit', () => {
    const uses = jobsOf(workflow).flatMap(([, { steps }]) =>
      steps.flatMap((step) => step.uses ?? []),
    )
    for (const action of uses) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/)
  })

  test('calls workflows that are there, with inputs that they take', () => {
    for (const [, job] of jobsOf(workflow)) {
      if (job.uses === undefined) continue
      const called = named.get(job.uses.replace('./.github/workflows/', ''))
      const call = z
        .object({
          inputs: z
            .record(z.string(), z.looseObject({ required: z.boolean().optional() }))
            .default({}),
        })
        .parse(called?.on['workflow_call'] ?? {})
      expect(Object.keys(call.inputs)).toEqual(expect.arrayContaining(Object.keys(job.with)))
      const required = Object.keys(call.inputs).filter(
        (name) => call.inputs[name]?.required === true,
      )
      expect(Object.keys(job.with)).toEqual(expect.arrayContaining(required))
    }
  })

  test('gives workflows that it calls the rights that they need, or GitHub refuses the run', () => {
    for (const [, job] of jobsOf(workflow)) {
      const called = named.get((job.uses ?? '').replace('./.github/workflows/', ''))
      if (called === undefined) continue
      const given = job.permissions ?? workflow.permissions
      const needed = jobsOf(called).flatMap(([, { permissions = called.permissions }]) =>
        Object.entries(permissions),
      )
      for (const [right, level] of needed) expect([level, 'write']).toContain(given[right])
    }
  })

  test('ends some time, on a machine whose version is named', () => {
    for (const [, job] of jobsOf(workflow).filter(([, { uses }]) => uses === undefined)) {
      expect(job['timeout-minutes']).toBeGreaterThan(0)
      expect(job['runs-on']).toMatch(/^ubuntu-\d\d\.\d\d$|^\$\{\{ matrix\.machine \}\}$/)
    }
  })

  test('puts nothing that somebody could have written into a script', () => {
    for (const run of runsOf(workflow)) expect(run).not.toContain('${{')
  })

  test('needs jobs that it has', () => {
    const names = jobsOf(workflow).map(([name]) => name)
    const needed = jobsOf(workflow).flatMap(([, { needs = [] }]) => needs)
    expect(names).toEqual(expect.arrayContaining(needed))
  })
})

describe('the commands of the workflows', () => {
  const lines = workflows
    .flatMap(([, workflow]) => runsOf(workflow))
    .flatMap((run) => run.split('\n'))
  const calls = lines.flatMap((line) => /\.\/krectl\.sh ([^>|]*)/.exec(line)?.[1]?.trim() ?? [])

  test('test, build and tag by krectl', () => {
    for (const verb of ['test', 'build', 'release next', 'release notes'])
      expect(calls.some((call) => call.startsWith(verb))).toBe(true)
  })

  test.each(calls)('krectl %s is a verb with these options', async (call) => {
    const words = call.split(/\s+/)
    const first = words.findIndex((word) => /^["$-]/.test(word))
    const verb = first < 0 ? words : words.slice(0, first)
    const { code, stdout } = await krectl([...verb, '--help'])
    expect(code).toBe(0)
    for (const option of words.filter((word) => word.startsWith('--')))
      expect(stdout).toContain(option)
  })

  test('build and push every image', () => {
    expect(named.get('images.yml')?.env['IMAGES']?.split(' ')).toEqual([...IMAGE_NAMES])
  })

  test('name files and scripts that are there', () => {
    const scripts = lines.flatMap((line) => /npm run (?:--silent )?([\w:-]+)/.exec(line)?.[1] ?? [])
    const { scripts: known } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const script of scripts) expect(Object.keys(known)).toContain(script)
  })
})
