/** Tokens of service accounts with a short life. A cluster gives none for less than ten minutes, so its key signs them here. */
import { createSign, randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { clusterKey } from './cluster-processes.ts'
import { ask } from './test-cluster.ts'

const ISSUER = 'https://kubernetes.default.svc'
/** Servers go on taking a token for so long after its end, as clocks differ. */
const LEEWAY_S = 60

/** @param lifeS seconds from now for which the API server takes it; it remembers for 10 s more that it did. */
export async function signToken(admin: Cluster, namespace: string, lifeS: number): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/kre`
  const { metadata } = (await ask(admin, 'GET', path)) as { metadata: { uid: string } }
  const nowS = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: ISSUER,
    aud: [ISSUER],
    sub: `system:serviceaccount:${namespace}:kre`,
    jti: randomUUID(),
    iat: nowS - LEEWAY_S,
    nbf: nowS - LEEWAY_S,
    exp: nowS + lifeS - LEEWAY_S,
    'kubernetes.io': { namespace, serviceaccount: { name: 'kre', uid: metadata.uid } },
  }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  const key = clusterKey('service-accounts.key')
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
}

/** Points a kubeconfig at a file with the token, as a pod's own login does. */
export function useTokenFile(kubeconfig: string, tokenFile: string): void {
  const provider = `auth-provider: {name: tokenFile, config: {tokenFile: "${tokenFile}"}}`
  const users = `users: [{name: test, user: {${provider}}}]`
  writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace(/^users: .*$/m, users))
}
