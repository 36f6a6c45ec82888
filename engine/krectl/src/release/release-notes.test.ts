import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { releaseNotes, type Commit } from './release-notes.ts'

let made = 0
function commit(subject: string, files: string[], body = ''): Commit {
  made += 1
  return { hash: made.toString(16).padStart(40, 'a'), subject, body, files }
}
const short = ({ hash }: Commit) => hash.slice(0, 10)

describe('release notes', () => {
  test('tell each commit in the chapter that most of its files belong to', () => {
    const graph = commit('Show the graph', ['admin-ui/src/a.tsx', 'admin-ui/src/b.ts', 'README.md'])
    const pods = commit('Drain pods', ['k8s-manager/src/kubernetes/fleet.ts'])
    const speed = commit('Time the store', ['bench/src/main.ts'])
    expect(releaseNotes('v0.2.0', 'v0.1.0', [graph, pods, speed])).toBe(
      [
        '# KRE v0.2.0',
        '',
        'What changed since v0.1.0.',
        '',
        '## Admin UI',
        '',
        `- Show the graph (${short(graph)})`,
        '',
        '## Kubernetes',
        '',
        `- Drain pods (${short(pods)})`,
        '',
        '## Tests and tools',
        '',
        `- Time the store (${short(speed)})`,
        '',
      ].join('\n'),
    )
  })

  test('say first what an operator has to do', () => {
    const body = 'Why.\n\nBREAKING CHANGE: set `natsUrl`\nin the values.\n\nSigned-off-by: Ada'
    const notes = releaseNotes('v1.0.0', null, [
      commit('Name NATS', ['helm/kre/values.yaml'], body),
    ])
    expect(notes).toMatch(
      /What changed from the beginning\.\n\n## Before you upgrade\n\n- set \\`natsUrl\\` in the values\. \(/,
    )
    expect(notes).not.toContain('Signed-off-by')
  })

  test('leave out what was taken back, and tell what came back', () => {
    const first = commit('Add a cache', ['engine/store/src/a.ts'])
    const revert = commit(
      'Revert "Add a cache"',
      ['engine/store/src/a.ts'],
      `This reverts commit ${first.hash}.`,
    )
    const again = commit(
      'Reapply "Add a cache"',
      ['engine/store/src/a.ts'],
      `This reverts commit ${revert.hash}.`,
    )
    expect(releaseNotes('v0.1.0', null, [revert, first])).toContain('Nothing but the tag.')
    const notes = releaseNotes('v0.1.0', null, [again, revert, first])
    expect(notes).toContain(`- Add a cache (${short(first)})`)
    expect(notes).not.toContain('Revert')
  })

  test('make no markup, no link and no mention of what a commit says', () => {
    const subject = 'Take @kre/contracts, <b>, [x](y), `code` and \u{202e}hidden text'
    const notes = releaseNotes('v0.1.0', null, [commit(subject, [])])
    expect(notes).toContain(
      '- Take @\u{200b}kre/contracts, \\<b\\>, \\[x\\](y), \\`code\\` and hidden text (',
    )
  })

  test('have one line for every commit that was not taken back', () => {
    const commits = fc.array(
      fc.record({
        hash: fc.stringMatching(/^[0-9a-f]{40}$/),
        subject: fc.string(),
        body: fc.constant(''),
        files: fc.array(fc.constantFrom('admin-ui/a', 'engine/a', 'runners/b', 'x', 'docs/c')),
      }),
    )
    fc.assert(
      fc.property(commits, (all) => {
        const lines = releaseNotes('v0.1.0', null, all).split('\n')
        expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(all.length)
      }),
    )
  })
})
