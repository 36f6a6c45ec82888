/** What `.krectl.conf` and the environment say of the cluster on this computer. */
import { z } from 'zod'
import { UsageError } from '../output/exit-code.ts'

const Name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'lower case letters, digits and hyphens')
  .max(53)
const Count = z.string().regex(/^[1-9]\d{0,3}$/, 'a number')
const Size = z.string().regex(/^[1-9]\d{0,6}[a-z]{0,2}$/i, 'a size like 8192 or 40g')

const Environment = z.object({
  NAMESPACE: Name.default('kre'),
  // The chart's names of objects begin with it.
  RELEASE_NAME: Name.max(40).default('kre-local'),
  MINIKUBE_PROFILE: Name.default('kre-local'),
  MINIKUBE_MEMORY: Size.default('8192'),
  MINIKUBE_KUBERNETES_VERSION: z
    .string()
    .regex(/^v?\d+\.\d+(\.\d+)?$|^(stable|latest)$/, 'a version like 1.34.0')
    .default('1.34.0'),
  MINIKUBE_CPUS: Count.default('4'),
  MINIKUBE_DISK_SIZE: Size.default('40g'),
  MINIKUBE_DRIVER: z
    .string()
    .regex(/^[a-z0-9+-]+$/, 'a name like docker')
    .default('docker'),
  KRE_ADMIN_FRONTEND_BASE_URL: z.url({ protocol: /^https?$/ }).default('http://localhost:4000'),
  KRE_MONGODB_SECRET: Name.default('kre-mongodb'),
  KRE_MONGODB_IMAGE: z
    .string()
    .regex(/^[\w.:/@-]{1,255}$/, 'the name of an image')
    .default('docker.io/library/mongo:8.0'),
  KRECTL_TARGET: z.enum(['local', 'minikube']).default('local'),
})

export type DevelopmentTarget = z.infer<typeof Environment>['KRECTL_TARGET']

export type ClusterSettings = {
  /** Of the engine; it exists, or `--create-namespace` makes it. */
  namespace: string
  /** Of Helm. */
  release: string
  /** Name of minikube's cluster, and of its context in kubectl. */
  profile: string
  /** As minikube takes them: MiB without a unit. */
  memory: string
  cpus: string
  diskSize: string
  kubernetesVersion: string
  driver: string
  /** Where browsers reach the engine. */
  adminUrl: string
  /** Secret with MongoDB's connection string, in the namespace. */
  mongodbSecret: string
  /** Of a MongoDB for development, where there is none yet. */
  mongodbImage: string
  /** What dev, stop and login, and commands to an engine, mean when they are not told. */
  target: DevelopmentTarget
}

/** @throws UsageError with all settings that are wrong. */
export function readClusterSettings(
  environment: Readonly<Record<string, string | undefined>>,
): ClusterSettings {
  // An empty one is one that was not set.
  const given = Object.entries(environment).filter(([, value]) => value !== '')
  const parsed = Environment.safeParse(Object.fromEntries(given))
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new UsageError(
      `a setting of .krectl.conf or the environment is wrong: ${problems.join('; ')}`,
    )
  }
  const e = parsed.data
  return {
    namespace: e.NAMESPACE,
    release: e.RELEASE_NAME,
    profile: e.MINIKUBE_PROFILE,
    memory: e.MINIKUBE_MEMORY,
    cpus: e.MINIKUBE_CPUS,
    diskSize: e.MINIKUBE_DISK_SIZE,
    kubernetesVersion: e.MINIKUBE_KUBERNETES_VERSION,
    driver: e.MINIKUBE_DRIVER,
    adminUrl: e.KRE_ADMIN_FRONTEND_BASE_URL,
    mongodbSecret: e.KRE_MONGODB_SECRET,
    mongodbImage: e.KRE_MONGODB_IMAGE,
    target: e.KRECTL_TARGET,
  }
}
