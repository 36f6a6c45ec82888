import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { parseConfig } from './config.ts'

const parse = (environment: Record<string, string>) =>
  parseConfig({ KRE_DATA: '/data', ...environment })
const SMTP = { KRE_SMTP_HOST: 'mail.kre.io', KRE_SMTP_SENDER: 'kre@kre.io' }

describe('the configuration of sign-in', () => {
  test('is off by default', () => {
    expect(parse({}).signIn).toEqual({
      publicUrl: null,
      trustedProxies: [],
      persistedOnly: false,
      mail: null,
      oidc: null,
    })
  })

  test('takes mail servers and identity providers, and shows no secret', () => {
    const config = parse({
      ...SMTP,
      KRE_SMTP_PASS: 'canary-1',
      KRE_OIDC_ISSUER: 'https://id.kre.io',
      KRE_OIDC_CLIENT_ID: 'kre',
      KRE_OIDC_CLIENT_SECRET: 'canary-2',
      KRE_TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16',
    })
    expect(config.signIn).toMatchObject({
      mail: { host: 'mail.kre.io', port: 587, sender: 'kre@kre.io', senderName: 'KRE' },
      oidc: { issuer: 'https://id.kre.io', clientId: 'kre' },
      trustedProxies: ['10.0.0.1', '10.1.0.0/16'],
    })
    expect(inspect(config, { depth: null }) + JSON.stringify(config)).not.toContain('canary')
  })

  test('lets browsers send the operations of the admin UI alone where they come by https', () => {
    const persistedOnly = (environment: Record<string, string>) =>
      parse(environment).signIn.persistedOnly
    const KRE_ADMIN_FRONTEND_BASE_URL = 'https://kre.example'
    expect(persistedOnly({ KRE_ADMIN_FRONTEND_BASE_URL })).toBe(true)
    expect(persistedOnly({ KRE_ADMIN_FRONTEND_BASE_URL: 'http://kre.example' })).toBe(false)
    expect(persistedOnly({ KRE_ADMIN_FRONTEND_BASE_URL, KRE_DEVELOPMENT_MODE: 'true' })).toBe(false)
    expect(persistedOnly({ KRE_ADMIN_FRONTEND_BASE_URL, KRE_PERSISTED_OPERATIONS: 'false' })).toBe(
      false,
    )
    expect(persistedOnly({ KRE_PERSISTED_OPERATIONS: 'true' })).toBe(true)
  })

  test('can write mails into a folder, for development, and be told to send none', () => {
    expect(parse({ KRE_DEVELOPMENT_MODE: 'true' }).signIn.mail).toBe('folder')
    expect(parse({ ...SMTP, KRE_SMTP_ENABLED: 'false' }).signIn.mail).toBeNull()
  })

  test.each([
    ['KRE_SMTP_HOST', { KRE_SMTP_ENABLED: 'true' }],
    ['KRE_SMTP_SENDER', { KRE_SMTP_HOST: 'mail.kre.io' }],
    ['KRE_SMTP_SENDER', { ...SMTP, KRE_SMTP_SENDER: 'kre@kre.io\nBcc: x@y' }],
    ['KRE_SMTP_PORT', { ...SMTP, KRE_SMTP_PORT: '0' }],
    ['KRE_OIDC_CLIENT_ID', { KRE_OIDC_ISSUER: 'https://id.kre.io' }],
    ['KRE_OIDC_ISSUER', { KRE_OIDC_ISSUER: 'http://id.kre.io', KRE_OIDC_CLIENT_ID: 'kre' }],
    ['KRE_OIDC_ISSUER', { KRE_OIDC_ISSUER: 'https://a:b@id.kre.io', KRE_OIDC_CLIENT_ID: 'kre' }],
    ['KRE_ADMIN_FRONTEND_BASE_URL', { KRE_ADMIN_FRONTEND_BASE_URL: 'javascript:alert(1)' }],
    ['KRE_DEVELOPMENT_MODE', { KRE_DEVELOPMENT_MODE: 'yes' }],
  ])('refuses a wrong %s', (name, environment) => {
    expect(() => parse(environment)).toThrow(`${name}:`)
  })
})
