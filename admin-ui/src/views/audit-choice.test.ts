import { describe, expect, test } from '@jest/globals'
import { auditCommand, readAuditChoice, toActivityFilters, toAuditPlace } from './audit-choice.ts'

const read = (query: string) => readAuditChoice(new URLSearchParams(query))

describe('the choice of the audit log', () => {
  test('comes back from the address as it was', () => {
    const query = 'who=a%40b.c&type=LOGIN&runtime=shop&version=id-1&from=2026-01-01&to=2026-01-31'
    const choice = read(query)
    expect(new URLSearchParams(toAuditPlace(choice)).toString()).toBe(query)
    expect(toActivityFilters(choice, 'UTC')).toEqual({
      userEmail: 'a@b.c',
      types: ['LOGIN'],
      runtimeIds: ['shop'],
      versionIds: ['id-1'],
      fromDate: '2026-01-01T00:00:00Z',
      toDate: '2026-01-31T00:00:00Z',
    })
    expect(auditCommand(choice, 'v1', 'UTC')).toBe(
      'krectl audit list --user a@b.c --type LOGIN -r shop --version v1 --from 2026-01-01T00:00:00Z --to 2026-01-31T00:00:00Z',
    )
  })

  test('is everything where the address says nothing, or nothing that there is', () => {
    for (const query of ['', 'type=toString&from=yesterday&to=2026-02-30&other=1']) {
      expect(toAuditPlace(read(query))).toEqual({})
      expect(toActivityFilters(read(query), 'UTC')).toEqual({})
      expect(auditCommand(read(query), '', 'UTC')).toBe('krectl audit list')
    }
  })
})
