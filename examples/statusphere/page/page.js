// Shows the newest status of each account, as they come. Texts of strangers become text nodes, never markup.
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

const live = new EventSource('live')
live.addEventListener('message', ({ data }) => {
  const { statuses } = JSON.parse(data)
  list.replaceChildren(...statuses.map(show))
  state.textContent = statuses.length === 0 ? 'Nobody has a status yet.' : 'The newest status of each account, live.'
})
// The browser connects again by itself.
live.addEventListener('error', () => {
  state.textContent = 'The AppView does not answer.'
})
