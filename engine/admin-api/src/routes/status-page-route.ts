import type { FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { html, type Html } from '../http/html.ts'
import { sendPage } from '../http/respond.ts'
import type { Principal } from '../principal.ts'
import { findEntrypointAddress, listRuntimes } from '../runtimes/read-runtimes.ts'
import { listVersions } from '../versions/read-versions.ts'
import type { VersionState } from '../versions/version-state.ts'

/** `GET /`: what runs, as a page without scripts. */
export function createStatusPageRoute(deps: FeatureDeps): Route {
  return {
    method: 'GET',
    path: '/',
    access: 'signed-in',
    async handle({ res, principal }) {
      const runtimes = await listRuntimes(deps, { principal })
      const sections = await Promise.all(
        runtimes.map(({ id, name }) => runtimeSection(deps, principal, id, name)),
      )
      sendPage(
        res,
        200,
        html`KRE`,
        html`<p>Signed in as ${principal.email}.</p>
          ${sections.length === 0 ? html`<p>No runtime yet. Run <code>krectl dev</code> or create one.</p>` : sections}
          <form method="post" action="/api/v1/auth/logout">
            <button type="submit">Sign out</button>
          </form>`,
      )
    },
  }
}

async function runtimeSection(
  deps: FeatureDeps,
  principal: Principal,
  runtimeId: string,
  name: string,
): Promise<Html> {
  const [address, versions] = await Promise.all([
    findEntrypointAddress(deps, { principal, runtimeId }),
    listVersions(deps, { principal, runtimeId }),
  ])
  return html`<h2>${name} (<code>${runtimeId}</code>)</h2>
    <p>Public address: ${address === '' ? 'none' : html`<code>${address}</code>`}</p>
    <table>
      <thead>
        <tr>
          <th>Version</th>
          <th>Status</th>
          <th>Why</th>
          <th>Address</th>
          <th>Created</th>
        </tr>
      </thead>
      <tbody>
        ${versions.map(versionRow)}
      </tbody>
    </table> `
}

function versionRow({ version, derived }: VersionState): Html {
  return html`<tr>
    <td><code>${version.name}</code></td>
    <td>${derived.status}</td>
    <td>${derived.reason}</td>
    <td>${derived.address}</td>
    <td>${version.createdAt.toISOString()}</td>
  </tr> `
}
