/** FerretDB as the MongoDB of an installation: a pod as restricted as all others of the namespace. */
import type { LoadedImage } from './load-images.ts'

export const DATABASE_SECRET = 'kre-mongodb'
const PORT = 27_017
const LABELS = { app: 'database' }

export function databaseObjects(namespace: string, { repository, digest }: LoadedImage): object[] {
  const container = {
    name: 'ferretdb',
    image: `${repository}@${digest}`,
    imagePullPolicy: 'Never',
    command: [
      'ferretdb',
      '--handler=sqlite',
      '--sqlite-url=file:/data/',
      '--state-dir=/data',
      `--listen-addr=0.0.0.0:${PORT}`,
      '--debug-addr=-',
      '--telemetry=disable',
      '--log-level=error',
    ],
    ports: [{ name: 'mongodb', containerPort: PORT }],
    readinessProbe: { tcpSocket: { port: 'mongodb' }, periodSeconds: 1 },
    resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  }
  const metadata = { name: 'database', namespace }
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: DATABASE_SECRET, namespace },
      stringData: { uri: `mongodb://database.${namespace}.svc:${PORT}/` },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: LABELS, ports: [{ port: PORT, targetPort: 'mongodb' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        serviceName: 'database',
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65_534,
              fsGroup: 65_534,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [container],
            // Of a test: nobody waits for a disk.
            volumes: [{ name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } }],
          },
        },
      },
    },
  ]
}
