/** A thread with a compiler of its own that strips types: a text comes in, what was made of it goes out. */
import { parentPort } from 'node:worker_threads'
import { stripText } from './strip-text.ts'

parentPort?.on('message', (text: string) => parentPort?.postMessage(stripText(text)))
