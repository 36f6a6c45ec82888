/** The images of KRE: what each is made of. Everything else follows from package-lock.json. */

export type ImageName = (typeof IMAGE_NAMES)[number]
export const IMAGE_NAMES = [
  'engine',
  'entrypoint',
  'runner-typescript',
  'runner-python',
  'runner-onnx',
  'admin-ui',
] as const

export type ImageSpec = {
  title: string
  description: string
  /** Folders of packages of this repository; what they need comes with them. */
  workspaces: readonly string[]
  /** Packages that this image's programs do not use, with the reason. */
  omit: Readonly<Record<string, string>>
  /** Programs besides those of the workspaces: they come with the files that they load. */
  programs: readonly string[]
  /**
   * Programs that are made of the workspaces' sources, by their names (bundle-programs.ts): the image has these in
   * place of the sources. Empty = it has the sources.
   */
  bundled: Readonly<Record<string, string>>
  /** Of an image with bundled programs: packages that code of users may import. They stay as they are. */
  provided: readonly string[]
  /** Folders of this repository that no package.json names. */
  files: readonly string[]
  /** Wheels that its Python code needs. */
  wheels: readonly string[]
}

/** A pod's first program, which writes the launch file of the second. */
const PREPARE = { prepare: 'k8s-manager/src/kubernetes/pod/main.ts' }
const RUNNER = { ...PREPARE, 'node-runner': 'runners/node-runner/src/main.ts' }
const RUNNER_WORKSPACES = ['runners/node-runner', 'k8s-manager']

const NO_TYPES = 'makes types for TypeScript authors, which krectl does on their computers'
const ONNX_OMIT = {
  'adm-zip': 'of the install script of onnxruntime-node, which gets libraries for GPUs',
  'global-agent': 'of the install script of onnxruntime-node',
}

export const IMAGES: Readonly<Record<ImageName, ImageSpec>> = {
  engine: {
    title: 'KRE engine',
    description: 'Admin API, converger, writer and managers of KRE, with the admin UI',
    workspaces: ['engine/all-in-one'],
    omit: { '@bufbuild/protoc-gen-es': NO_TYPES },
    programs: [],
    bundled: {},
    provided: [],
    files: ['admin-ui/dist'],
    wheels: [],
  },
  entrypoint: {
    title: 'KRE entrypoint',
    description: 'The gRPC server of a version, or of what a runtime has published',
    workspaces: ['runners/entrypoint', 'k8s-manager'],
    omit: {},
    programs: [],
    bundled: { ...PREPARE, entrypoint: 'runners/entrypoint/src/main.ts' },
    provided: [],
    files: [],
    wheels: [],
  },
  'runner-typescript': {
    title: 'KRE runner for TypeScript',
    description: 'Runs a node that is written in TypeScript or JavaScript',
    workspaces: RUNNER_WORKSPACES,
    omit: ONNX_OMIT,
    programs: [],
    bundled: RUNNER,
    provided: ['@kre/sdk', '@bufbuild/protobuf', 'onnxruntime-node'],
    files: [],
    wheels: [],
  },
  'runner-python': {
    title: 'KRE runner for Python',
    description: 'Runs a node that is written in Python',
    workspaces: RUNNER_WORKSPACES,
    omit: {
      'onnxruntime-node': 'runs models, which nodes in Python do with packages of their own',
    },
    programs: [],
    bundled: RUNNER,
    provided: [],
    files: ['runners/sdk-python/kre_runner'],
    wheels: ['protobuf==6.33.6'],
  },
  'runner-onnx': {
    title: 'KRE runner for ONNX models',
    description: 'Runs a node that is a model without code',
    workspaces: RUNNER_WORKSPACES,
    omit: ONNX_OMIT,
    programs: [],
    bundled: RUNNER,
    provided: ['onnxruntime-node'],
    files: [],
    wheels: [],
  },
  'admin-ui': {
    title: 'KRE admin UI',
    description: 'The files of the admin UI below /ui/, for a setup that serves them apart',
    workspaces: [],
    omit: {},
    programs: ['images/admin-ui/main.ts'],
    bundled: {},
    provided: [],
    files: ['admin-ui/dist'],
    wheels: [],
  },
}
