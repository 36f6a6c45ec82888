import { describe, expect, test } from '@jest/globals'
import { imageOf } from '../testing/kubernetes-settings.ts'
import { readKubernetesSettings } from './read-settings.ts'

const WHOLE = `
namespace: runners
images:
  typescript: ${imageOf('typescript')}
  python: ${imageOf('python')}
  onnx: ${imageOf('onnx')}
  entrypoint: ${imageOf('entrypoint')}
  pullSecrets: [registry]
network:
  nats: [{ pods: { app: nats }, ports: [4222] }]
publish:
  mode: ingress
  host: '{runtime}.example.com'
python:
  indexUrl: https://packages.example.com/simple
natsServers: [nats://nats.kre.svc:4222]
`
const read = (text: string) => readKubernetesSettings(text, 'kubernetes.yaml', null)

describe('the settings of a cluster', () => {
  test('are YAML', () => {
    expect(read(WHOLE)).toMatchObject({
      namespace: 'runners',
      images: { pullSecrets: ['registry'] },
      publish: { mode: 'ingress', className: null, tlsSecret: null },
      natsServers: ['nats://nats.kre.svc:4222'],
    })
  })
  test('take the tracing of the engine where they name none', () => {
    const tracing = { endpoint: 'http://otel:4318', sampleRatio: 0.1 }
    expect(readKubernetesSettings(WHOLE, 'f', tracing).tracing).toEqual(tracing)
    const own = `${WHOLE}tracing: { endpoint: 'http://own:4318', sampleRatio: 1 }`
    expect(readKubernetesSettings(own, 'f', tracing).tracing?.endpoint).toBe('http://own:4318')
  })
  test('are refused with all problems at once, by file and path', () => {
    const wrong = WHOLE.replace('namespace: runners', '')
      .replace('app: nats', 'app: 1')
      .replace('https://packages', 'https://user:secret@packages')
    expect(() => read(wrong)).toThrow(/kubernetes\.yaml are wrong: namespace: .*network\.nats\.0/)
    expect(() => read(wrong)).toThrow(/python\.indexUrl: its login would be on every Deployment/)
  })
  test.each(['', '[]', 'text', '{', 'a: *b', 'namespace: {'])('%j is refused', (text) => {
    expect(() => read(text)).toThrow(/kubernetes\.yaml/)
  })
  test.each([
    ['example.com', 'no place for the runtime'],
    ['kre.{runtime}.com', 'a wildcard certificate covers the first part alone'],
    ['{runtime}{runtime}.com', 'two places'],
    ['{runtime}.Example.com', 'capitals'],
    [`{runtime}-${'x'.repeat(50)}.com`, 'too long with the longest id'],
    ['{runtime}.a b', 'no host'],
  ])('the host %j is refused: %s', (host) => {
    expect(() => read(WHOLE.replace("'{runtime}.example.com'", JSON.stringify(host)))).toThrow(
      /publish\.host: name a host with \{runtime\} in its first part/,
    )
  })
})
