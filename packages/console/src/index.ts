export { readConsole, type ConsoleFile } from './read-console.ts'
