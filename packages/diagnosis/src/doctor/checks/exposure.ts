import { fail, ok, warn, type Check, type Finding } from '../check.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/

export const exposure: Check = {
  id: 'exposure',
  title: 'Nothing is open that should not be (M1)',
  look: ({ exposure, upstreams }) => {
    if (!exposure) return undefined
    const { bind, hasPassword, allowsPrivateHosts, storeUrl, storeHasPassword } = exposure
    const findings: Finding[] = []
    if (!hasPassword && !LOOPBACK.test(bind))
      findings.push(
        fail('admin-open', {
          evidence: `the admin server would be open on ${bind} without a password`,
          meaning: 'Whoever reaches it could change cursors and dead letters. It refuses to start.',
          command: 'export ADMIN_PASSWORDS=…',
        }),
      )
    if (storeUrl !== undefined && storeHasPassword === false && !LOOPBACK.test(new URL(storeUrl).hostname))
      findings.push(
        warn('store-without-password', {
          evidence: `${storeUrl} is on another machine, and asks for no password`,
          meaning: 'Whoever reaches it can read and delete the streams.',
          command: 'redis-cli -u "$REDIS_URL" acl list',
        }),
      )
    // A simulated network is on this machine, and so are all who name hosts.
    const isPublic = upstreams.some(({ host }) => !LOOPBACK.test(hostname(host)))
    if (allowsPrivateHosts && isPublic)
      findings.push(
        warn('private-hosts-allowed', {
          evidence: 'MILLRACE_ALLOW_PRIVATE_HOSTS is set',
          meaning:
            'Strangers can name addresses of your own network, and have them asked. It is for simulated networks.',
          command: 'unset MILLRACE_ALLOW_PRIVATE_HOSTS',
        }),
      )
    if (findings.length > 0) return findings
    return ok(hasPassword ? `the admin server asks for a password` : 'the admin server answers this machine alone')
  },
}

function hostname(host: string): string {
  return new URL(host.includes('://') ? host : `https://${host}`).hostname
}
