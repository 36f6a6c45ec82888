import { vars, type AuditedOperation } from './operations.ts'

/**
 * Routes that change something, by their names in the table of operations. Every route that is no GET, HEAD or OPTIONS is here or in
 * `ROUTES_WITHOUT_RECORD`; a test compares.
 */
export const ROUTE_OPERATIONS: Readonly<Record<string, AuditedOperation>> = {
  'PUT /api/v1/runtimes/:id/versions': {
    type: 'CREATE_VERSION',
    keep: ['id'],
    runtimeIdAt: 'id',
    rows: ({ target, after, input }) => [
      vars({
        RUNTIME_ID: target.runtimeId,
        VERSION_ID: after?.['versionId'],
        VERSION_NAME: after?.['versionName'],
        COMMENT: input['comment'],
      }),
    ],
  },
  // The version is made by the route above, when all parts are there.
  'POST /api/v1/runtimes/:id/uploads': {
    type: 'CREATE_VERSION',
    onlyRefusals: true,
    keep: ['id'],
    runtimeIdAt: 'id',
    rows: ({ target }) => [vars({ RUNTIME_ID: target.runtimeId })],
  },
  'POST /signin/:token': signIn(),
  'POST /api/v1/auth/signin/verify': signIn(),
  'POST /api/v1/auth/token/signin': signIn(),
  'GET /api/v1/auth/oidc/callback': signIn(),
  'POST /api/v1/auth/logout': { type: 'LOGOUT', keep: [], rows: () => [[]] },
  'POST /api/v1/auth/login-link': {
    type: 'CREATE_SIGN_IN_LINK',
    keep: ['user'],
    rows: ({ input }) => [vars({ USER_EMAILS: input['user'] })],
  },
  'POST /api/v1/keys/rotate': { type: 'ROTATE_MASTER_KEY', keep: [], rows: () => [[]] },
}

const PARTS = 'collects parts of a file; the version that is made of them has a record'

/** With the reason. */
export const ROUTES_WITHOUT_RECORD: Readonly<Record<string, string>> = {
  'PATCH /api/v1/runtimes/:id/uploads/:upload': PARTS,
  'DELETE /api/v1/runtimes/:id/uploads/:upload': PARTS,
  'POST /api/v1/runtimes/:id/versions/:name/call/:rpc':
    'calls a workflow, as every client of its entrypoint does, and changes nothing of the engine',
  'POST /graphql': 'each mutation in the document has a record of its own',
  'POST /api/v1/auth/signin':
    'anybody may ask for a mail, as often as the rate limits let him; the sign-in that follows has a record',
}

function signIn(): AuditedOperation {
  // Neither the link's token nor a code is ever kept.
  return { type: 'LOGIN', keep: [], rows: () => [[]] }
}
