import { describe, expect, test } from '@jest/globals'
import { snippetOf, type Call } from './snippets.ts'

const CALL: Call = {
  runtimeId: 'demo',
  versionName: 'v1',
  address: '127.0.0.1:9000',
  rpc: {
    path: '/shop.Entrypoint/Order',
    requestType: 'shop.Order',
    responseType: 'shop.Receipt',
    serverStreaming: false,
  },
  json: `{"name":"O'Hara\\n\\"x\\"","__proto__":1}`,
  timeoutMs: 1_500,
  metadata: [['x-krt-tenant', 'a "b"']],
}

describe('snippets', () => {
  test('of krectl quote what a shell would read', () => {
    expect(snippetOf('krectl', CALL)).toBe(
      `krectl call -r demo --version v1 --timeout 1500ms --metadata 'x-krt-tenant=a "b"' shop.Entrypoint/Order '{"name":"O'\\''Hara\\n\\"x\\"","__proto__":1}'`,
    )
  })

  test('of other languages hold the request as it is read', () => {
    for (const language of ['python', 'typescript'] as const)
      expect(snippetOf(language, CALL)).toContain('"x-krt-tenant", "a \\"b\\""')
    expect(snippetOf('python', CALL)).toContain(
      'r"""\n{\n  "name": "O\'Hara\\n\\"x\\"",\n  "__proto__": 1\n}\n"""',
    )
    expect(snippetOf('typescript', CALL)).toContain('    ["__proto__"]: 1\n')
    expect(snippetOf('python', { ...CALL, address: '' })).toContain('"HOST:PORT"')
  })

  test('of streams read them', () => {
    const stream = { ...CALL, rpc: { ...CALL.rpc, serverStreaming: true } }
    expect(snippetOf('python', stream)).toContain('unary_stream')
    expect(snippetOf('typescript', stream)).toContain(
      'const answers = client.makeServerStreamRequest',
    )
    expect(snippetOf('typescript', CALL)).not.toContain('answers')
  })
})
