import { describe, expect, test } from '@jest/globals'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { networkPolicies, withoutMetadata } from './network-policies.ts'

describe('an address that pods may talk to', () => {
  test.each([
    ['10.0.0.0/8', undefined],
    ['0.0.0.0/0', ['169.254.0.0/16']],
    ['168.0.0.0/6', ['169.254.0.0/16']],
    ['170.0.0.0/7', undefined],
    ['::/0', ['fe80::/10', 'fd00:ec2::254/128']],
    ['fd00::/8', ['fd00:ec2::254/128']],
    ['2001:db8::/32', undefined],
  ])('%s leaves out where machines get their credentials', (cidr, except) => {
    expect(withoutMetadata(cidr)).toEqual(except === undefined ? { cidr } : { cidr, except })
  })
  test.each(['169.254.169.254/32', '169.254.0.0/16', 'fe80::1/128', 'fd00:ec2::254/128'])(
    '%s is refused',
    (cidr) => {
      expect(() => withoutMetadata(cidr)).toThrow(/credentials of the machine/)
    },
  )
  test.each([
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0/8',
    'a/8',
    '::/129',
    '10.0.0.0/8/8',
    'fe80::1%1/64',
  ])('%j is no CIDR', (cidr) => {
    expect(() => withoutMetadata(cidr)).toThrow(/is no CIDR/)
  })
})

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
