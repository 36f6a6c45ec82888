/** The `restricted` Pod Security profile, and what goes beyond it. Nothing of a manifest or a setting replaces it. */
import type { V1PodSecurityContext, V1SecurityContext } from '@kubernetes/client-node'

/** `nobody`: no file of an image belongs to it. */
const USER_ID = 65_534

export const POD_SECURITY: V1PodSecurityContext = {
  runAsNonRoot: true,
  runAsUser: USER_ID,
  runAsGroup: USER_ID,
  // Volumes of Secrets belong to root: their group is what lets the pod's user read them.
  fsGroup: USER_ID,
  // A volume that belongs to the group already is not walked through.
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
}

export const CONTAINER_SECURITY: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
