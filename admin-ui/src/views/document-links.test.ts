import { describe, expect, test } from '@jest/globals'
import { readDocumentLink } from './document-links.ts'

const read = (href: string) => readDocumentLink(href, 'docs/guide/start.md')

describe('a link of a document', () => {
  test.each([
    ['more.md', 'docs/guide/more.md'],
    ['../README.md', 'docs/README.md'],
    ['../../../../etc/passwd', 'etc/passwd'],
    ['/docs/a%20b.png', 'docs/a b.png'],
    ['100%.md', 'docs/guide/100%.md'],
  ])('%s stays in the bundle', (href, path) => {
    expect(read(href)).toEqual({ kind: 'document', path, hash: '' })
  })

  test('keeps its place in the document', () => {
    expect(read('#top')).toEqual({ kind: 'document', path: 'docs/guide/start.md', hash: '#top' })
  })

  test.each(['https://example.com/a', 'mailto:a@example.com'])('%s leads outside', (href) => {
    expect(read(href)).toEqual({ kind: 'outside', href })
  })

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'bundle://other/x',
  ])('%s leads nowhere', (href) => {
    expect(read(href)).toEqual({ kind: 'nothing' })
  })
})
