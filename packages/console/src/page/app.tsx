import type { VNode } from 'preact'
import { useEffect, useReducer, useState } from 'preact/hooks'
import { closeSession, readSession } from './api/console-api.ts'
import { useAnswer, useAnswers } from './api/use-answer.ts'
import { useNow } from './api/use-now.ts'
import { addressOf } from './address.ts'
import { pageTitles } from './page-titles.ts'
import { pageAt, pages } from './pages.ts'
import { LogIn } from './parts/log-in.tsx'
import { Mark } from './parts/mark.tsx'
import { applyTheme, nextTheme, storedTheme } from './parts/theme.ts'
import { problemsOf } from './words/problems.ts'
import { verdictOf } from './words/verdict.ts'

/** The form for the password where one is asked for, and the console behind it. */
export function App(): VNode | null {
  const [session, setSession] = useState<{ isAsked: boolean; isOpen: boolean }>()
  const look = (): void => {
    readSession().then(setSession, () => setSession({ isAsked: false, isOpen: true }))
  }
  useEffect(look, [])
  if (!session) return null
  if (!session.isOpen) return <LogIn onOpen={look} />
  return <Console isSession={session.isAsked} onEnd={look} />
}

const STATUS_MS = 4_000

function Console({ isSession, onEnd }: { isSession: boolean; onEnd: () => void }): VNode {
  const answers = useAnswers()
  const now = useNow()
  const status = useAnswer('getStatus', {}, STATUS_MS)
  const { page, rest } = pageAt(useHash())
  const verdict = verdictOf(status, now)
  const hasEnded = status.failure?.isUnauthorized === true
  useEffect(() => {
    if (hasEnded) onEnd()
  }, [hasEnded])
  useEffect(() => {
    document.title = `${verdict.level === 'ok' ? '' : '● '}${pageTitles[page.path]} · Millrace`
  }, [verdict.level, page])
  useEffect(() => {
    scrollTo(0, 0)
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [page])
  useKeys()
  const problems = status.value ? problemsOf(status.value, now) : []
  const count = (path: string): number => problems.filter((problem) => problem.page === path).length
  return (
    <div class="frame" data-level={verdict.level}>
      <a class="skip" href="#main" onClick={goToMain}>
        To the page
      </a>
      <header>
        <a class="brand" href={addressOf('')} aria-label="Millrace, to the overview">
          <Waves />
          Millrace
        </a>
        <nav aria-label="Pages">
          {pages.map(({ path }, index) => (
            <a key={path} href={addressOf(path)} aria-current={path === page.path ? 'page' : undefined}>
              <span>{pageTitles[path]}</span>
              {count(path) > 0 && (
                <span class="badge" aria-label={`${count(path)} open`}>
                  {count(path)}
                </span>
              )}
              <kbd aria-hidden="true">{index + 1}</kbd>
            </a>
          ))}
        </nav>
        <div class="tools">
          <ThemeButton />
          {isSession && (
            <button type="button" class="quiet" onClick={() => void closeSession().then(onEnd)}>
              Log out
            </button>
          )}
        </div>
      </header>
      <div class="verdict" role="status" data-level={verdict.level}>
        <Mark level={verdict.level} />
        <div>
          {page.path === '' ? <h1>{verdict.sentence}</h1> : <p class="sentence">{verdict.sentence}</p>}
          <p class="detail">{verdict.detail}</p>
        </div>
        <button type="button" class="quiet" title="Ask again now" onClick={() => void answers.refresh()}>
          Refresh
        </button>
      </div>
      <main id="main" tabIndex={-1}>
        {page.path !== '' && <h1>{pageTitles[page.path]}</h1>}
        <page.Show key={page.path} rest={rest} />
      </main>
    </div>
  )
}

function goToMain(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function ThemeButton(): VNode {
  const [theme, setTheme] = useState(storedTheme())
  const change = (): void => {
    const next = nextTheme(theme)
    applyTheme(next)
    setTheme(next)
  }
  return (
    <button type="button" class="quiet" title="Light, dark, or as the system has it" onClick={change}>
      {theme === 'auto' ? 'Auto' : theme === 'light' ? 'Light' : 'Dark'}
    </button>
  )
}

function Waves(): VNode {
  return (
    <svg class="waves" viewBox="0 0 32 32" aria-hidden="true">
      {[10, 16.5, 23].map((y, index) => (
        <path key={y} opacity={1 - index * 0.32} d={`M3 ${y}c4.3 0 4.3 3 8.7 3s4.3-3 8.600-3 4.400 3 8.700 3`} />
      ))}
    </svg>
  )
}

function useHash(): string {
  const [, drawAnew] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    const listener = (): void => drawAnew(undefined)
    addEventListener('hashchange', listener)
    return () => removeEventListener('hashchange', listener)
  }, [])
  return typeof location === 'undefined' ? '' : location.hash
}

/** `1` to `9` and `0` go to a page, in the order of the menu, `/` to the trace box, unless something is being typed. */
function useKeys(): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const { key, target, ctrlKey, metaKey, altKey } = event
      if (ctrlKey || metaKey || altKey) return
      if (target instanceof HTMLElement && target.closest('input, textarea, select, dialog')) return
      const page = key === '/' ? pages.find(({ path }) => path === 'trace') : pages['1234567890'.indexOf(key)]
      if (!page) return
      event.preventDefault()
      location.hash = addressOf(page.path)
    }
    addEventListener('keydown', listener)
    return () => removeEventListener('keydown', listener)
  }, [])
}
