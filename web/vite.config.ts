import { defineConfig, type Plugin } from 'vite'
import { commands } from '../src/model/commands.js'
import { errorCodes } from '../src/model/errors.js'
import { fields } from '../src/model/fields.js'

/**
 * The vocabulary as plain data, taken from the model when the page is built: the titles, risks and input schemas of commands, the
 * titles and units of metrics, what to do about the errors of devices. The page so needs neither a copy of them nor the schema library.
 */
function vocabulary(): Plugin {
  const id = 'virtual:vocabulary'
  const errors = Object.fromEntries(
    Object.entries(errorCodes)
      .filter(([code]) => code.startsWith('DEVICE_'))
      .map(([code, { title, action }]) => [code, { title, action }]),
  )
  const metrics = Object.fromEntries(Object.entries(fields).map(([name, { title, unit }]) => [name, { title, unit }]))
  const tables = { commands, errors, metrics }
  return {
    name: 'miningsdk-vocabulary',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (resolved) =>
      resolved === `\0${id}`
        ? Object.entries(tables)
            .map(([name, table]) => `export const ${name} = ${JSON.stringify(table)}`)
            .join('\n')
        : undefined,
  }
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  plugins: [vocabulary()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari18'],
    // The content security policy of the gateway allows nothing inline, so no asset becomes a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
