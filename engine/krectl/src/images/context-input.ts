/** What is collected for an image, and where it goes. */
import type { ImageSpec } from './image-list.ts'
import type { LockFile, Platform } from './lock-tree.ts'

export type ContextFolders = {
  /** Packages of others: changes seldom, so it is a layer of its own. */
  modules: string
  code: string
}

export type ContextInput = {
  /** Of the repository. */
  root: string
  lock: LockFile
  spec: ImageSpec
  platform: Platform
  /** Of KRE. */
  version: string
}
