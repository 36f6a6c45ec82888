/** A MongoDB for development, as objects of Kubernetes: a pure function. */
import { randomBytes } from 'node:crypto'
import type { ClusterSettings } from './cluster-settings.ts'

const PORT = 27_017
/** User and group of the official image. */
const MONGODB_UID = 999
const USER = 'kre'
/** What finds all of it again. */
const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'krectl' }

/** That nobody has seen, and that stands in a URI as it is. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * One server with a volume of its own, and the Secret with its connection string that the chart is told of. Its pods keep
 * the `restricted` profile. Not for production: nothing of it is copied elsewhere.
 */
export function mongodbObjects(
  { mongodbSecret: name, mongodbImage, namespace }: ClusterSettings,
  password: string,
): object {
  const labels = {
    ...MANAGED_BY,
    'app.kubernetes.io/name': 'mongodb',
    'app.kubernetes.io/instance': name,
  }
  const metadata = { name, namespace, labels }
  const uri = `mongodb://${USER}:${password}@${name}.${namespace}.svc:${PORT}/?authSource=admin`
  const fromSecret = (key: string) => ({ valueFrom: { secretKeyRef: { name, key } } })
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        type: 'Opaque',
        stringData: { uri, username: USER, password },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'mongodb', port: PORT }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata,
        spec: {
          serviceName: name,
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              securityContext: {
                runAsNonRoot: true,
                runAsUser: MONGODB_UID,
                runAsGroup: MONGODB_UID,
                fsGroup: MONGODB_UID,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              containers: [
                {
                  name: 'mongodb',
                  image: mongodbImage,
                  args: ['--wiredTigerCacheSizeGB', '0.25', '--bind_ip_all'],
                  env: [
                    { name: 'MONGO_INITDB_ROOT_USERNAME', ...fromSecret('username') },
                    { name: 'MONGO_INITDB_ROOT_PASSWORD', ...fromSecret('password') },
                    { name: 'HOME', value: '/tmp' },
                  ],
                  ports: [{ name: 'mongodb', containerPort: PORT }],
                  readinessProbe: { tcpSocket: { port: 'mongodb' }, periodSeconds: 2 },
                  resources: {
                    requests: { cpu: '100m', memory: '512Mi' },
                    limits: { memory: '1Gi' },
                  },
                  securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ['ALL'] },
                  },
                  volumeMounts: [
                    { name: 'data', mountPath: '/data/db' },
                    { name: 'config', mountPath: '/data/configdb' },
                    { name: 'tmp', mountPath: '/tmp' },
                  ],
                },
              ],
              volumes: [
                { name: 'config', emptyDir: {} },
                { name: 'tmp', emptyDir: {} },
              ],
            },
          },
          volumeClaimTemplates: [
            {
              metadata: { name: 'data' },
              spec: {
                accessModes: ['ReadWriteOnce'],
                resources: { requests: { storage: '4Gi' } },
              },
            },
          ],
        },
      },
    ],
  }
}
