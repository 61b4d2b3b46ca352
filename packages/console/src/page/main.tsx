import { render } from 'preact'
import { Answers } from './api/answers.ts'
import { consoleApi } from './api/console-api.ts'
import { AnswersContext } from './api/use-answer.ts'
import { App } from './app.tsx'
import { applyTheme, storedTheme } from './parts/theme.ts'

applyTheme(storedTheme())
const answers = new Answers({
  api: consoleApi(),
  attention: {
    isThere: () => document.visibilityState === 'visible',
    onChange: (listener) => document.addEventListener('visibilitychange', listener),
  },
})
render(
  <AnswersContext.Provider value={answers}>
    <App />
  </AnswersContext.Provider>,
  document.getElementById('page')!,
)
