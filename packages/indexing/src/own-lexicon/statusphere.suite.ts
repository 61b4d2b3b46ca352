import { createEvent, deleteEvent, describePlugin } from '@millrace/indexing/testing'
import { statusphere, statusPlugin } from './statusphere.ts'

const status = (text: string) => ({ $type: 'xyz.statusphere.status', status: text, createdAt: '2026-01-15T10:00:00Z' })
const happy = createEvent({ did: 'did:plc:alice', record: status('🙂') })
const sad = createEvent({ did: 'did:plc:alice', record: status('🙁') })

describePlugin(statusPlugin, {
  sets: [statusphere],
  cases: {
    'a status is one row, and counted': {
      events: [happy],
      rows: {
        status: [{ creator: 'did:plc:alice', status: '🙂', createdAt: '2026-01-15T10:00:00.000Z' }],
        status_count: [{ status: '🙂', count: 1 }],
      },
      update: { record: status('😀'), rows: { status: [{ status: '😀' }] } },
    },
    'a status that was taken back is not counted': {
      events: [happy, sad, deleteEvent(happy)],
      rows: { status: [{ status: '🙁' }] },
    },
    'two characters are no status': {
      events: [createEvent({ did: 'did:plc:alice', record: status('🙂🙂') })],
      rows: { status: [], record: [] },
    },
  },
})
