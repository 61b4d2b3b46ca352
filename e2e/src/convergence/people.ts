/** The first two stay: rules of gates may ask for whom they follow. The others come and go. */
export const accounts = [
  'did:plc:alicealicealicealicealic',
  'did:plc:bobbobbobbobbobbobbobbob',
  'did:plc:carolcarolcarolcarolcaro',
  'did:plc:davedavedavedavedavedave',
] as const

export const [alice, bob] = accounts
/** Of no repo here. */
export const stranger = 'did:plc:strangerstrangerstranger'
export const labelers = ['did:plc:labelerlabelerlabelerlab', 'did:plc:otherlabelerotherlabelero'] as const

/** Keys of records: three of each collection. */
export const slots = ['3kaaaaaaaaaa2', '3kaaaaaaaaab2', '3kaaaaaaaaac2'] as const
/** Nothing is ever written under this one but what is there from the start. */
export const keptKey = '3kaaaaaaaaad2'

export function accountAt(index: number): string {
  return accounts[index % accounts.length]!
}

export function slotAt(index: number): string {
  return slots[index % slots.length]!
}

/** Whether an account can be deleted: no verdict hangs on its follows. */
export function canGo(did: string): boolean {
  return did !== alice && did !== bob
}
