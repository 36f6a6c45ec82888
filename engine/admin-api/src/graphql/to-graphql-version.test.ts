import { expect, test } from '@jest/globals'
import { deriveVersion } from '@kre/contracts'
import { sampleVersion } from '@kre/store/testing'
import { toGraphqlVersion } from './to-graphql-version.ts'

test('what an author or a process wrote of a version shows what is in it', () => {
  const version = { ...sampleVersion('v1'), description: 'safe \u202egnp.exe\u2066\n👩‍💻' }
  const derived = deriveVersion({
    version: version.name,
    manifest: version.facts.manifest,
    release: null,
    wasWanted: false,
    placement: null,
  })
  const nodes = derived.nodes.map((node) => ({ ...node, reason: 'node \u202edne' }))
  const shown = toGraphqlVersion({
    version,
    derived: { ...derived, nodes, status: 'ERROR', reason: 'said \u001b[2J\u200b' },
  })
  expect(shown.description).toBe(String.raw`safe \u{202e}gnp.exe\u{2066}` + '\n👩‍💻')
  expect(shown.statusReason).toBe(String.raw`said \u{1b}[2J\u{200b}`)
  expect(shown.errors).toEqual([shown.statusReason])
  expect(shown.workflows.flatMap((workflow) => workflow.nodes)).toMatchObject(
    nodes.map(() => ({ statusReason: String.raw`node \u{202e}dne` })),
  )
})
