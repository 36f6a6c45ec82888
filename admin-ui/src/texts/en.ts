/** Every word that the UI shows, in English. A translation is a file with the same shape. */
import { counted } from './counted.ts'
import { actions } from './en-actions.ts'
import { administration } from './en-administration.ts'
import { observation } from './en-observation.ts'
import { tryIt } from './en-try-it.ts'
import { versions } from './en-versions.ts'

export const t = {
  ...versions,
  ...observation,
  ...tryIt,
  ...administration,
  ...actions,
  common: {
    loading: 'Loading …',
    retry: 'Try again',
    refresh: 'Refresh',
    reload: 'Reload the page',
    cancel: 'Cancel',
    close: 'Close',
    copy: 'Copy',
    copied: 'Copied',
    notCopied: 'The browser does not let this page copy. Select the text and copy it yourself.',
    never: 'never',
    twin: 'On the command line:',
    crumbs: 'Breadcrumb',
  },
  errors: {
    unreachable: 'The engine does not answer. It may be restarting; what is shown may be old.',
    signedOut: 'The login had ended, so nothing was done. Sign in and try again.',
    otherVersion:
      'The engine does not know this question: it is of another version than this page. Reload the page; if that does not help, restart the engine.',
    unknown: (code: string) => `The engine refused, and did not say why (${code}).`,
    requestId: (id: string) => `Request ${id} in the engine’s log.`,
  },
  faces: {
    notFoundTitle: 'Not found',
    noPage: 'There is nothing at this address.',
    home: 'To the runtimes',
    noAccessTitle: 'No access',
    noAccess: 'Ask an administrator for a higher level.',
    unreachableTitle: 'Engine unreachable',
    unreachable: 'The engine does not answer. It may be restarting.',
    failedTitle: 'That did not work',
    upgradedTitle: 'The engine has a newer UI',
    upgraded: 'This page was opened before it. Reload it to go on.',
    faultTitle: 'The page has a fault',
    fault: (message: string) => `It said: ${message}. Nothing in the engine was changed by that.`,
  },
  shell: {
    skip: 'Skip to the content',
    navigation: 'Main',
    runtimes: 'Runtimes',
    users: 'Users',
    audit: 'Audit',
    settings: 'Settings',
    signOut: 'Sign out',
    live: {
      idle: 'Connecting …',
      live: 'Live: changes show by themselves',
      lost: 'Not connected, trying again',
    },
    zone: 'Times in',
    theme: 'Theme',
    themes: { system: 'as the system', light: 'light', dark: 'dark' },
    notLive: (reason: string) =>
      `Changes do not show by themselves at the moment: ${reason}. Trying again.`,
    stale: (since: string) =>
      `The connection to the engine was lost. What is shown is as of ${since}; trying again.`,
  },
  signIn: {
    title: 'Sign in to KRE',
    about: 'Workflows of models, from upload to published address.',
    or: 'or',
    email: 'E-mail address',
    send: 'Send me a link',
    sentTitle: 'Look into your mail',
    sent: (email: string) =>
      `If ${email} may sign in, a link is on its way. It works once, for 15 minutes.`,
    otherBrowser: 'In another browser the link asks for this code:',
    again: 'Use another address',
    provider: 'Sign in with your organisation',
    commandLine: 'On the computer where the engine runs, this prints a link that signs you in:',
    orCommandLine: 'Or, on the computer where the engine runs:',
    check: 'I have signed in',
    overTitle: 'Your login has ended',
    over: 'Sign in again, in this window or another. What you typed stays here.',
  },
  runtimes: {
    title: 'Runtimes',
    add: 'Add runtime',
    emptyTitle: 'No runtime yet',
    empty: 'A runtime is a place for versions with one published address. Add the first one.',
    emptyForViewers: 'Nobody has given you access to a runtime yet.',
    published: 'Published',
    nothingPublished: 'nothing',
    filter: 'Filter by name',
    noneFound: 'No runtime has this in its name, id or description.',
    address: 'Address',
    created: 'Created',
  },
  newRuntime: {
    title: 'Add runtime',
    name: 'Name',
    nameHint: 'Up to 40 characters; no other runtime has it.',
    id: 'Id',
    idHint: '3 to 15 of a-z, 0-9 and single hyphens, a letter first. It never changes.',
    description: 'Description',
    descriptionHint: 'What it is for, up to 500 characters.',
    create: 'Add runtime',
  },
  issues: {
    source: (file: string) => `Findings in ${file}`,
    lines: (file: string) => `Lines of ${file}`,
    wholeFile: 'Show the whole file',
    onlyFindings: 'Show the findings only',
    gap: (n: number) => (n === 1 ? '1 line' : `${n} lines`),
    summary: (errors: number, warnings: number, infos: number) =>
      [
        counted(errors, 'error', 'errors'),
        counted(warnings, 'warning', 'warnings'),
        counted(infos, 'note', 'notes'),
      ]
        .filter((text) => !text.startsWith('0 '))
        .join(', '),
    level: { error: 'Error', warning: 'Warning', info: 'Note' },
    bundle: 'bundle',
  },
} as const
