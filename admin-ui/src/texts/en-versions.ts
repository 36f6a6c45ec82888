import type { OperationSubject } from '../views/operation-subject.ts'

/** Words about versions: their list, what is done with them, uploads and configuration. */
export const versions = {
  status: {
    CREATING: 'Creating',
    CREATED: 'Created',
    STARTING: 'Starting',
    STARTED: 'Started',
    PUBLISHED: 'Published',
    STOPPING: 'Stopping',
    STOPPED: 'Stopped',
    ERROR: 'Error',
  },
  versions: {
    title: 'Versions',
    upload: 'Upload version',
    emptyTitle: 'No version yet',
    empty: 'Upload a bundle (.krt): it is checked at once, and becomes a version.',
    emptyForViewers: 'Nobody has uploaded a version yet.',
    noAddress: 'none while nothing is published',
    version: 'Version',
    status: 'Status',
    created: 'Created',
    published: 'Published',
    actions: 'Actions',
    deleteRuntime: 'Delete runtime',
    deleteRuntimeTitle: (name: string) => `Delete ${name}?`,
    deleteRuntimeText:
      'All its versions, logs, metrics and stored data go with it. Nothing brings them back.',
    typeId: (id: string) => `Type ${id} to confirm`,
    runtimeDeleted: (name: string) => `${name} is deleted.`,
  },
  version: {
    views: 'Views of the version',
    tabs: {
      status: 'Graph',
      'try-it': 'Try it',
      requests: 'Requests',
      logs: 'Logs',
      configuration: 'Configuration',
      predictions: 'Predictions',
      documentation: 'Documentation',
    },
    completeConfiguration: 'Complete configuration',
    starting: (ready: number, all: number) => `Starting: ${ready} of ${all} nodes are ready.`,
    facts: 'About this version',
    address: 'Own address',
    noAddress: 'none while it does not run',
    manifest: 'Manifest',
    digest: 'Bundle (sha256)',
    findings: 'Findings of the validator',
  },
  operations: {
    comment: 'Why',
    commentHint: 'For the audit log, 1 to 500 characters.',
    start: {
      verb: 'Start',
      title: (name: string) => `Start ${name}?`,
      consequence: () =>
        'Its processes come up at an address of their own. Callers of the runtime notice nothing.',
      done: (name: string) => `${name} is starting.`,
    },
    restart: {
      verb: 'Restart',
      title: (name: string) => `Restart ${name}?`,
      consequence: () => 'Its processes end and are started anew.',
      done: (name: string) => `${name} is restarting.`,
    },
    stop: {
      verb: 'Stop',
      title: (name: string) => `Stop ${name}?`,
      consequence: () =>
        'Requests under way are finished, then its processes end. It can be started again.',
      done: (name: string) => `${name} is stopping.`,
    },
    publish: {
      verb: 'Publish',
      title: (name: string) => `Publish ${name}?`,
      consequence: ({ versionName, publishedName, runtimeAddress }: OperationSubject) => {
        const where = runtimeAddress === '' ? 'the runtime’s address' : runtimeAddress
        return publishedName === null || publishedName === versionName
          ? `Callers of ${where} reach it from then on.`
          : `Callers of ${where} reach it instead of ${publishedName} from then on; no request is lost. ${publishedName} goes on running, so publishing it again takes this back.`
      },
      done: (name: string) => `${name} is published.`,
    },
    unpublish: {
      verb: 'Unpublish',
      title: (name: string) => `Unpublish ${name}?`,
      consequence: ({ runtimeAddress }: OperationSubject) =>
        `Callers of ${runtimeAddress === '' ? 'the runtime’s address' : runtimeAddress} get no answer any more. The version goes on running at its own address.`,
      done: (name: string) => `${name} is not published any more.`,
    },
    delete: {
      verb: 'Delete',
      title: (name: string) => `Delete ${name}?`,
      consequence: () =>
        'The version, its configuration and its data go. Its name is free again; nothing brings it back.',
      done: (name: string) => `${name} is deleted.`,
    },
  },
  upload: {
    title: 'Upload version',
    drop: 'Drop a bundle (.krt) here, or',
    choose: 'Choose a file',
    hint: 'The manifest in it names the version. Nothing is started yet.',
    noFile: 'That was no file. Drop a .krt file.',
    oneFile: 'One bundle at a time: drop a single .krt file.',
    isFolder: 'That is a folder. Pack it first: krectl krt build FOLDER -o FILE.krt',
    isEmpty: 'That file is empty.',
    unreadable:
      'The browser can’t read the file any more: it was moved or changed. Choose it again.',
    noBundle: 'That is no bundle. A .krt file is a tar archive, as krectl krt build makes it.',
    progress: 'Upload',
    sent: (sent: string, all: string, percent: number) => `${sent} of ${all} sent (${percent} %)`,
    waiting: (sent: string, all: string) =>
      `Interrupted after ${sent} of ${all}. It goes on by itself as soon as the engine answers.`,
    checking: 'Sent. The engine checks it …',
    continue: 'Go on with the upload',
    done: (name: string) => `${name} is there.`,
    failedTitle: (file: string) => `${file} did not become a version`,
    warnedTitle: (name: string) => `${name} is there, with remarks`,
    goOn: (name: string) => `Go on to ${name}`,
    folder: 'FOLDER',
  },
  configuration: {
    emptyTitle: 'No configuration',
    empty: 'The manifest of this version declares no variables and no files.',
    complete: 'Every key has a value.',
    incomplete: 'Some keys have no value yet: the version can’t be started.',
    filter: 'Filter by key',
    key: 'Key',
    type: 'Kind',
    state: 'State',
    value: 'New value',
    variable: 'Variable',
    file: 'File',
    set: 'Set',
    notSet: 'Not set',
    fingerprint: 'Equal for equal values',
    newValue: (key: string) => `New value of ${key}`,
    keep: 'unchanged',
    show: 'Show',
    hide: 'Hide',
    unset: 'Unset',
    keepStored: 'Keep the stored value',
    willUnset: 'will be unset',
    chooseFile: 'From a file',
    hidden: 'Values are never shown.',
    dirty: (n: number) => `${n} ${n === 1 ? 'change' : 'changes'} not saved.`,
    restarts: 'Saving restarts the nodes one by one; no request is lost.',
    discard: 'Discard',
    save: 'Save',
    saved: 'The configuration is saved.',
    conflict:
      'Somebody else changed it meanwhile. The list shows the new state; what you typed is still here. Save again to put it over theirs.',
  },
} as const
