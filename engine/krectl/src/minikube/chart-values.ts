/** The chart's values for the cluster on this computer: a pure function. */
import { KreError } from '@kre/contracts'
import type { ImageName } from '../images/image-list.ts'

/** Name of an image in the cluster's registry, with its digest: `localhost:5000/kre/engine@sha256:...`. */
export type PushedImages = Readonly<Partial<Record<ImageName, string>>>

const RUNNERS = {
  typescript: 'runner-typescript',
  python: 'runner-python',
  onnx: 'runner-onnx',
  entrypoint: 'entrypoint',
} as const satisfies Record<string, ImageName>

export type ChartInput = {
  release: string
  images: PushedImages
  /** Where browsers reach the engine. */
  adminUrl: string
  /** Secret with MongoDB's connection string. */
  mongodbSecret: string
}

/**
 * One engine and one server of NATS, since there is one machine. Browsers come through the Ingress, but to an address of
 * this computer, which `kubectl port-forward` leads there.
 *
 * @throws KreError `failed-precondition` for an image that was not built.
 */
export function chartValues({ release, images, adminUrl, mongodbSecret }: ChartInput): object {
  const { hostname, protocol } = new URL(adminUrl)
  const isHere =
    hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1'
  return {
    // Names of objects are those that krectl asks for.
    fullnameOverride: release,
    config: {
      admin: { frontendBaseURL: adminUrl },
      mongodb: { connectionString: { secretName: mongodbSecret } },
    },
    engine: { replicas: 1, image: partsOf('engine', images) },
    versions: {
      images: Object.fromEntries(
        Object.entries(RUNNERS).map(([name, image]) => [name, partsOf(image, images)]),
      ),
    },
    nats: { replicas: 1 },
    ingress: { enabled: !isHere, tls: tlsOf(release, protocol) },
  }
}

/** The certificate is somebody's who has one: it is no more than named here. */
function tlsOf(release: string, protocol: string): object {
  return protocol === 'https:'
    ? { enabled: true, secretName: `${release}-tls` }
    : { enabled: false }
}

function partsOf(image: ImageName, images: PushedImages): { repository: string; digest: string } {
  const [repository = '', digest = ''] = (images[image] ?? '').split('@')
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return { repository, digest }
  throw new KreError(
    'failed-precondition',
    `the image "${image}" was not built for the cluster: "krectl build --target minikube" builds it`,
  )
}
