/** KRE's `UserActivityType`, in its order. */
const KRE_TYPES = [
  'LOGIN',
  'LOGOUT',
  'CREATE_RUNTIME',
  'CREATE_VERSION',
  'PUBLISH_VERSION',
  'UNPUBLISH_VERSION',
  'START_VERSION',
  'STOP_VERSION',
  'UPDATE_SETTING',
  'UPDATE_VERSION_CONFIGURATION',
  'CREATE_USER',
  'REMOVE_USERS',
  'UPDATE_ACCESS_LEVELS',
  'REVOKE_SESSIONS',
  'GENERATE_API_TOKEN',
  'DELETE_API_TOKEN',
] as const

/** What KRE has no word for. `OTHER`: a change that has no row in the table of operations yet. */
const OWN_TYPES = [
  'UPDATE_RUNTIME',
  'DELETE_RUNTIME',
  'DELETE_VERSION',
  'UPDATE_GRANTS',
  'CREATE_SIGN_IN_LINK',
  'ROTATE_MASTER_KEY',
  'OTHER',
] as const

export const ACTIVITY_TYPES = [...KRE_TYPES, ...OWN_TYPES] as const
export type ActivityType = (typeof ACTIVITY_TYPES)[number]
