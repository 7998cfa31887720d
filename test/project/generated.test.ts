import { readFileSync } from 'node:fs'
import test from 'brittle'
import { generate } from '../../scripts/generate.js'

test('generated files are as fresh as what they are generated from', async (t) => {
  for (const [file, content] of Object.entries(await generate()))
    t.is(readFileSync(file, 'utf8'), content, `${file} (npm run generate)`)
})
