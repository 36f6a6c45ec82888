import { describe, expect, test } from '@jest/globals'
import { readDocuments } from './read-documents.ts'

const read = (text: string) => readDocuments({ name: 'a.yaml', folder: '/x', text })
const problemsOf = (text: string): string[] => {
  try {
    read(text)
  } catch (error) {
    return (error as Error).message.split('\n')
  }
  return []
}

describe('documents', () => {
  test('are read, empty ones left out, with the place of everything', () => {
    const documents = read(
      '---\nkind: Settings\nsessionLifetimeInDays: 9\n---\n# nothing\n---\nkind: Runtime\nid: shop\nversions:\n  - bundle: ./a\n    config: { KEY: { env: X } }\n',
    )
    expect(documents.map(({ document }) => document.kind)).toEqual(['Settings', 'Runtime'])
    expect(documents[1]?.at(['versions', 0, 'config', 'KEY'])).toBe('a.yaml:11:15')
    expect(documents[1]?.at(['versions', 0, 'nowhere'])).toBe('a.yaml:10:5')
  })

  test('may be none at all', () => {
    expect(read('')).toEqual([])
    expect(read('# only a comment\n')).toEqual([])
  })

  test.each([
    ['kind: Runtme\nid: x', 'a.yaml:1:1: kind is one of Settings, Runtime and User'],
    ['id: x', 'a.yaml:1:1: kind is one of Settings, Runtime and User'],
    ['kind: Runtime', 'a.yaml:1:1: id is missing'],
    ['kind: Runtime\nid: x\nverions: []', 'a.yaml:3:1: there is no field "verions"'],
    [
      'kind: Runtime\nid: x\nversions:\n  - bundle: a\n    stat: started',
      'a.yaml:5:5: there is no field "versions.0.stat"',
    ],
    [
      'kind: Runtime\nid: x\nversions:\n  - state: started',
      'a.yaml:4:5: versions.0 names a bundle',
    ],
    [
      'kind: Runtime\nid: x\nversions: [{bundle: a, config: {K: hunter2}}]',
      'a.yaml:3:33: versions.0.config.K is one of { env: NAME }',
    ],
    [
      'kind: Runtime\nid: x\npublished: v1\nversions:\n  - name: v1\n    state: stopped',
      'a.yaml:6:5: versions.0.state can not be "stopped"',
    ],
    ['kind: User\nemail: a@b.c\nlevel: GOD', 'a.yaml:3:1: level'],
    ['kind: User\nemail: a@b.c\ngrants: {x: ADMIN}', 'a.yaml:3:10: grants.x'],
    ['kind: Settings\nsessionLifetimeInDays: many', 'a.yaml:2:1: sessionLifetimeInDays'],
    ['- 1', 'a.yaml:1:1: the document'],
    ['just text', 'a.yaml:1:1: the document'],
    ['kind: Settings\nkind: User', 'a.yaml:2:1: '],
    ['kind: [', 'a.yaml:1:'],
    ['\tkind: x', 'a.yaml:1:1: '],
    ['a: &x [1]\nb: *x', 'a.yaml:2:4: aliases are not allowed'],
    ['a: !!js/function x', 'a.yaml:1:4: '],
  ])('%j is refused with its place', (text, problem) => {
    const problems = problemsOf(text)
    expect(problems.some((one) => one.startsWith(problem))).toBe(true)
    expect(problems.join()).not.toContain('hunter2')
  })

  test('tell all that is wrong at once', () => {
    expect(problemsOf('kind: Runtime\nid: 7\nx: 1\n---\nkind: User\n')).toEqual([
      expect.stringMatching(/^a\.yaml:2:1: id: /),
      'a.yaml:3:1: there is no field "x"',
      'a.yaml:5:1: email is missing',
    ])
  })

  test.each([
    ['a long one', `kind: Settings\nx: ${'y'.repeat(300_000)}`],
    ['a deep one', '['.repeat(5_000)],
    ['a bomb of aliases', `a: &a [1]\n${'b: [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n'.repeat(50)}`],
    ['control characters', 'kind: \u0000'],
  ])('%s is refused at once', (_what, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0)
  })

  test('can not reach into prototypes', () => {
    expect(problemsOf('kind: User\nemail: a@b.c\n__proto__: {level: ADMIN}')).not.toEqual([])
    expect(({} as Record<string, unknown>)['level']).toBeUndefined()
  })
})
