export type Theme = 'auto' | 'light' | 'dark'

const NAME = 'millrace-theme'

/** What was chosen in this browser before. */
export function storedTheme(): Theme {
  const stored = localStorage.getItem(NAME)
  return stored === 'light' || stored === 'dark' ? stored : 'auto'
}

/** `auto` is what the system has. */
export function applyTheme(theme: Theme): void {
  if (theme === 'auto') {
    delete document.documentElement.dataset['theme']
    localStorage.removeItem(NAME)
  } else {
    document.documentElement.dataset['theme'] = theme
    localStorage.setItem(NAME, theme)
  }
}

export function nextTheme(theme: Theme): Theme {
  return theme === 'auto' ? 'light' : theme === 'light' ? 'dark' : 'auto'
}
