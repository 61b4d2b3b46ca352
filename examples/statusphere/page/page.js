// Shows the answer of the query, and asks again each second. Texts of strangers become text nodes, never markup.
const list = document.querySelector('#statuses')
const state = document.querySelector('#state')

function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

function show({ status, handle, did, createdAt }) {
  const item = document.createElement('li')
  item.append(
    element('span', status),
    element('span', handle ?? did),
    element('time', new Date(createdAt).toLocaleString()),
  )
  return item
}

for (;;) {
  try {
    const response = await fetch('xrpc/xyz.statusphere.getStatuses?limit=50')
    if (!response.ok) throw new Error(`status ${response.status}`)
    const { statuses } = await response.json()
    list.replaceChildren(...statuses.map(show))
    state.textContent = statuses.length === 0 ? 'Nobody has a status yet.' : 'The newest status of each account.'
  } catch (error) {
    state.textContent = `The AppView does not answer: ${error.message}`
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000))
}
