import { describe, expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPythonEnvironments, environmentKey } from './python-environment.ts'

/** A python that makes environments out of itself, notes what it is asked, and fails when a package is `broken`. */
const FAKE_PYTHON = `#!/bin/sh
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo venv >> "$NOTES" ;;
  "-m pip "*)
    echo "Collecting protobuf"
    echo "pip $*" >> "$NOTES"
    if grep -q broken requirements.txt 2>/dev/null; then
      echo "ERROR: No matching distribution found for broken==1 (from line 1 of $PWD/requirements.txt)" >&2
      exit 1
    fi ;;
  *) echo "3.11 fake" ;;
esac
`

describe('createPythonEnvironments', () => {
  test('builds once per content, however many nodes start at once, and keeps it over restarts', async () => {
    await using place = await makePlace('numpy==2.3.0\n')
    const open = () => place.open()
    const environments = open()
    const [one, two] = await Promise.all([
      environments.ensure(place.bundleDir, () => undefined),
      environments.ensure(place.bundleDir, () => undefined),
    ])
    expect(one).toBe(two)
    expect(existsSync(one)).toBe(true)
    expect(await open().ensure(place.bundleDir, () => undefined)).toBe(one)
    const notes = await place.notes()
    expect(notes.filter((line) => line === 'venv')).toHaveLength(1)
    expect(notes.at(-1)).toMatch(/-r .*requirements\.txt protobuf>=4\.21,<8$/)
  })

  test('tells everybody who waits what happens', async () => {
    await using place = await makePlace('numpy\n')
    const told: string[] = []
    await place.open().ensure(place.bundleDir, (message) => told.push(message))
    expect(told).toContain('installing requirements.txt')
    expect(told).toContain('Collecting protobuf')
  })

  test('gives a node without requirements the pinned protobuf', async () => {
    await using place = await makePlace(null)
    await place.open().ensure(place.bundleDir, () => undefined)
    expect((await place.notes()).at(-1)).toMatch(/ protobuf==\d+\.\d+\.\d+$/)
  })

  test('names files as the bundle does', async () => {
    await using place = await makePlace('broken==1\n')
    const failed = place.open().ensure(place.bundleDir, () => undefined)
    await expect(failed).rejects.toThrow('(from line 1 of requirements.txt)')
  })

  test('fails in the words of pip, and tries again when asked again', async () => {
    await using place = await makePlace('broken==1\n')
    const environments = place.open()
    await expect(environments.ensure(place.bundleDir, () => undefined)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringMatching(
        /requirements\.txt could not be installed: ERROR: No matching distribution found for broken==1/,
      ),
    })
    await writeFile(join(place.bundleDir, 'requirements.txt'), 'mended\n')
    await expect(environments.ensure(place.bundleDir, () => undefined)).resolves.toBeDefined()
  })

  test('names an interpreter that is not there', async () => {
    await using place = await makePlace(null)
    const environments = place.open('/nowhere/python3')
    await expect(environments.ensure(place.bundleDir, () => undefined)).rejects.toThrow(
      /\/nowhere\/python3/,
    )
  })
})

describe('environmentKey', () => {
  test('is shared by bundles with the same requirements, unless these name files', () => {
    expect(environmentKey('3.11', 'numpy', '/a')).toBe(environmentKey('3.11', 'numpy', '/b'))
    expect(environmentKey('3.11', '-r more.txt', '/a')).not.toBe(
      environmentKey('3.11', '-r more.txt', '/b'),
    )
    expect(environmentKey('3.11', 'numpy', '/a')).not.toBe(environmentKey('3.12', 'numpy', '/a'))
    expect(environmentKey('3.11', null, '/a')).not.toBe(environmentKey('3.11', '', '/a'))
  })
})

async function makePlace(requirements: string | null) {
  const dir = await mkdtemp(join(tmpdir(), 'kre-python-'))
  const python = join(dir, 'python3')
  await writeFile(python, FAKE_PYTHON, { mode: 0o755 })
  if (requirements !== null) await writeFile(join(dir, 'requirements.txt'), requirements)
  const notes = join(dir, 'notes')
  return {
    bundleDir: dir,
    open: (executable = python) =>
      createPythonEnvironments({
        cacheDir: join(dir, 'cache'),
        python: executable,
        env: { PATH: process.env['PATH'] ?? '', NOTES: notes },
        signal: new AbortController().signal,
      }),
    notes: async () => (await readFile(notes, 'utf8')).trim().split('\n'),
    [Symbol.asyncDispose]: async () => rm(dir, { recursive: true }),
  }
}
