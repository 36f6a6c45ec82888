import { describe, expect, test } from '@jest/globals'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { networkPolicies } from './network-policies.ts'

describe('the policies of a version', () => {
  const of = { runtimeId: 'shop', version: 'v1' }
  test('let pods talk to NATS and to DNS, and to nobody else', () => {
    const [all] = networkPolicies(of, kubernetesSettings(), { namespace: 'runners' })
    expect(all?.spec).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { kre: 'nats' } },
              podSelector: { matchLabels: { app: 'nats' } },
            },
          ],
          ports: [{ port: 4222, protocol: 'TCP' }],
        },
        {
          ports: [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
        },
      ],
    })
    expect(all?.spec?.egress).toHaveLength(2)
  })
  test('let callers reach entrypoints alone, and only those that may', () => {
    const network = {
      nats: [{ pods: { app: 'nats' }, ports: [4222] }],
      callers: [{ cidr: '10.0.0.0/8' }, { namespace: { team: 'web' } }],
    }
    const [, callers] = networkPolicies(of, kubernetesSettings({ network }), {})
    expect(callers?.spec?.podSelector?.matchLabels).toMatchObject({ 'kre.dev/role': 'entrypoint' })
    expect(callers?.spec?.ingress).toEqual([
      {
        from: [
          { ipBlock: { cidr: '10.0.0.0/8' } },
          { namespaceSelector: { matchLabels: { team: 'web' } } },
        ],
        ports: [{ port: 9000, protocol: 'TCP' }],
      },
    ])
  })
})
