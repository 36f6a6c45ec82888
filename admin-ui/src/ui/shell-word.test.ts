import { execFileSync } from 'node:child_process'
import { describe, expect, test } from '@jest/globals'
import { shellWord } from './shell-word.ts'

describe('shellWord', () => {
  test.each(['v1', '', "it's", '$(reboot) `x` "y" \\ ! ; &', 'a\nb'])(
    'gives a shell just %j',
    (text) => {
      const said = execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })
      expect(said).toBe(text)
    },
  )
})
