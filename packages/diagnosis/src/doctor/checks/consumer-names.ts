import { ofBookkeeping, ok, warn, type Check } from '../check.ts'

export const consumerNames: Check = {
  id: 'consumer-names',
  title: 'Each process has a consumer name of its own (S8)',
  look: ofBookkeeping(({ leases }) => {
    const live = leases.filter(({ isLive }) => isLive)
    const taken = live.filter(({ name, wanted }) => wanted !== null && wanted !== name)
    if (taken.length === 0)
      return ok(live.length === 0 ? 'no process holds one' : [...new Set(live.map(({ name }) => name))].join(', '))
    return taken.map(({ scope, name, wanted }) =>
      warn('consumer-name-taken', {
        subject: `${scope} ${wanted}`,
        evidence: `two processes of ${scope} are configured as ${wanted}: one of them goes by ${name}`,
        meaning:
          'Nothing is lost or done twice; but what it leaves in hand when it ends does not come back to it at once.',
        command: 'millrace consumers',
      }),
    )
  }),
}
