import type { Model } from '../define.js'

/**
 * All Whatsminers (protocols/models-hardware.csv): a series, its boards and fans, then its variants and their chips a board, `x` with
 * another number of boards. `30:148` of the M20P is the M20P V30. No number: not known.
 */
const table = `
M20P 3 2 10:156 30:148
M20S+ 3 2 30:
M20S 3 2 10:105 20:111 30:140
M20 3 2 10:70
M21S+ 3 2 20:
M21S 3 2 20:66 60:105 70:111
M21 3 2 10:33
M29 3 2 10:50
M30K 4 2 10:240
M30L 4 2 10:144
M30S++ 3 2 10:255x4 20:255x4 E30:215 E40:225 E50:235 F40:156 G30:111 G40:117 G50:123 H10:82 H100:82 H110:105 H20:86
    H30:111 H40:70 H50:74 H60:78 H70:70 H80:74 H90:78 HA0:82 HB0:105 I30:111 J20:70 J30:74 J50:82 J60:111 J70:117
    K20:78 K30:74x2 K40:105
M30S+ 3 2 10:215 100:215 20:255 30: 40:235 50:225 60:245 70:235 80:245 90:225 A0:215 E100: E30:148 E40:156 E50:164
    E60:172 E70: E80: E90: F20:111 F30:117 G20:82 G30:78 G40:105 G50:111 G60:86 H10:64 H20:66 H30:70 H40:74 H50:64
    H60:66 H70:70 I30:86 J30:105 J40:117
M30S 3 2 10:148 20:156 30:164 40:172 50:156 60:164 70: 80:129 E10:105 E20:111 E30:117 E40:123 E50:129 E60: E70:
    F10:70 F20:74 F30:78 G10:66 G20:70 G30:74 G40:78 H10:64 H20:66 H30: H40:64 H50:66 H60:70 I20:70 J30:105
M30 3 2 10:105 20:111
M31H 3 2 10:114 40:136x4
M31L 4 2 10:144
M31SE 3 2 10:82 20:78 30:78
M31S+ 3 2 10:105 100:111 20:111 30:117 40:123 50:148 60:156 80:129 90:117 A0:111 E10:82 E20:78 E30:105 E40:111
    E50:117 E60: E80: F20:66 F30: G20:66 G30:70
M31S 3 2 10:105 20:111 30:117 40:123 50:78 60:105 70:111 80: 90:117 E10:70 E20:74 E30:
M31 3 2 10:70 20:74
M32S 3 2 -:78
M32 3 2 10:78 20:74
M33S++ 4 0 G40:174 H20:112 H30:
M33S+ 4 0 G20:112 G30:162 H20:100 H30:
M33S 4 0 G30:116
M33 3 0 10:33 20:62 30:66
M34S+ 4 0 E10:116
M36S++ 4 0 H30:80
M36S+ 4 0 G30:108
M36S 4 0 E10:114
M39 3 0 10:50 20:54 30:68
M50S++ 3 2 K10:117 K20:123 K30:156 K40:129 K50:135 K60:111 L10:82 L20:86 L30:111 L40:117 L50:105 L60:111
M50S+ 3 2 H30:172 H40:180 J30:156 J40:164 J60:164 K10:111 K20:117 K30:123 L10:82 L20:86 L30:105
M50S 3 2 H10: H20:135 H30:156 H40:148 H50:135 J10:111 J20:117 J30:123 J40:129 J50:135 K10:78 K20:111 K30:117 K50:105
    K60:111 K70:123 K80:86 L10:74 L20:78 L30:82
M50 3 2 E30:255x4 G30:156 H10:86 H20:111 H30:117 H40:84 H50:105 H60:84 H70:105 H80:111 H90:117 J10:86 J20:111
    J30:117 J40:123 J60:164 K40:111 K50:117
M51S+ 3 2 L30:117
M52S++ 4 0 L10:87
M52S 4 0 K30:62
M53H 4 0 H10:56
M53S++ 4 0 K10:198 K20:192 K30:240 K50:186 K70:216 L10:128 L30:174 L40:168 L60:128 L80:144
M53S+ 4 0 J30:240 J40:248 J50:264 K30:168
M53S 4 0 H20:198 H30:204 H40:228 J30:180 J40:192 J50:228 K30:128
M53 4 0 H30:128 H40:174 H50:162 K30:100 K60:100
M54S++ 4 0 K30:96 L30:68 L40:90
M54S+ 4 0 L30:84
M54S 4 0 H30:120 K30:102
M56S++ 4 0 K10:160 K30:176 K40:132 K50:152
M56S+ 4 0 J30:176 K30:108 K40:114 K50:120
M56S 4 0 H30:152 J30:132 J40:152
M56 4 0 H30:108
M59 4 0 H30:132
M60S++ 3 2 L10:204 L20:215 L30:225 L40:235 L50:245 L60:196 L70:294 L80:196 L90:204 LA0:215 LB0:245 M30:117 M40:123
    M50:129 M60:135 M70:141
M60S+ 3 2 K30:245 K40:215x4 K50:225x4 K60:294 K70:306 L10:196 L100:176 L20:147 L30:225 L40:188 L50:180 L60:172
    L70:225 L80:180 L90:184 LA0:176 LB0:164 M20:82 M30:86 M40:90 M50:98
M60S 3 2 K10:215 K20:235 K30:245 K40:225 K60:188 K70:196 K80:225 K90:192 L10:147 L20:164 L30:172 L40:180 L50:188
    L60:196 L70:141 L80:135 L90:141 M20:78 M40:86
M60 3 2 K10:164 K20:172 K30:215 K40:180 K6A:172 L10:111 L20:117 L30:123 L40:129 L50:135 M40:82
M61S+ 3 2 L20:204 L30:225
M61S 3 2 K20:225 K30:235 L10:164 L20:172 L30:180 L60:180 L70:147 L90:225 M30:117
M61 3 2 K10:180 K20:184 K30:188 K40:192 K60:188 K70:172 L10:135 L30:141 L40:144 L50:147 L60:150
M62S++ 3 0 M30:132
M62S+ 3 0 K30:430
M63S++ 4 0 L10:360 L20:380 L40:304 L50:340 L60:380 L70:288 M10:152 M20:186 M30:198
M63S+ 4 0 K30:456 L10:304 L20:340 L30:370 L40:228 L50:272 L60:304 L70:240 L80:256 L90:256 LA0:228 LC0:222 LD0:340
    M30:136 M40:144
M63S 4 0 K10:340 K20:350 K30:370 K40:288 K50:300 K60:350 K70:340 K80:288 K90:304 KA0:272 L10:228 L20:216 L30:272
    L40:204 L50:288 L60:288 L70:228 L80:240 L90:128 LA0:256 M30:132
M63 4 0 K10:256 K20:264 K30:272 L10:174 L20:204 L30:216 L40:180 L60:216 L70:174
M64S++ 4 0 M30:96
M64S 4 0 L10:114 L20:120 L30:152
M64 4 0 L20:96 L30:114 L40:120
M65S+ 4 0 K30:456 L20:340
M65S 4 0 K20:350 L60:288
M66S++ 4 0 L20:368x3 L40:288x3 L50:240 L60:250 L70:250 L80:230 M30:138
M66S+ 4 0 K30:440x3 L10:220 L20:230 L30:240 L40:250 L50:200 L60:200 L70:230 L80:250
M66S 4 0 K20:368x3 K30:384x3 K40:240 K50:250 K60:250 K70:210 K80:220 L10:168 L20:176 L30:192 L40:200 L50:210 L80:160
M66 4 0 K20:184 K30:192 K60:176 L20:160 L30:168
M67S 3 0 K30:440
M69S++ 8 0 M30:228
M69 4 0 K30:228
M70S+ 3 2 M30:245
M70S 3 2 M30:204
M70 3 2 L20:245 L30:255 M10:135 M20:141 M30:147 M80:147
M72S 3 0 M30:234
M72 3 0 M30:174
M73S+ 4 0 M40:380
M73S 4 0 M30:304
M73 4 0 L30:380 M20:216 M30:228 M70:204
M76S 3 0 M30:240
M76 3 0 L30:384 M30:176
M78S 3 0 M30:384
M79S 8 0 M30:304
M7BS - 0 M30:
`

/** What the second digit of a series says of its cooling; liquid ones that are neither are known by having no fans. */
const coolings: Readonly<Record<string, Model['cooling']>> = { 3: 'hydro', 6: 'immersion' }

/** Nominal J/TH where it is known (protocols/whatsminer.md §4). */
const efficiencies: Readonly<Record<string, number>> = { 'M30S+': 33, 'M30S++': 33, M53S: 26, M56S: 26, M63: 26 }

/** The rows by series (`M56S`: what all its variants share) and by series and variant (`M56SVH30`). */
export const whatsminerModels: Readonly<Record<string, Model>> = Object.fromEntries(
  table
    .trim()
    .split(/\n(?! )/)
    .flatMap((line) => rowsOf(line.split(/\s+/))),
)

function rowsOf([series = '', boardsText, fansText, ...variants]: string[]): [string, Model][] {
  const fans = Number(fansText)
  const cooling = fans > 0 ? 'air' : coolings[series[2] ?? '']
  const efficiencyJTh = efficiencies[series]
  const shared = { fans, ...(cooling ? { cooling } : {}), ...(efficiencyJTh ? { efficiencyJTh } : {}) }
  const boards = boardsText === '-' ? {} : { boards: Number(boardsText) }
  const rows = variants.map((text): [string, Model] => {
    const [variant = '', chips = '', otherBoards] = text.split(/[:x]/)
    const row = { ...shared, ...boards, ...(otherBoards ? { boards: Number(otherBoards) } : {}) }
    return [variant === '-' ? series : `${series}V${variant}`, chips ? { ...row, chips: Number(chips) } : row]
  })
  const sameBoards = rows.every(([, row]) => row.boards === rows[0]?.[1].boards)
  return [[series, sameBoards ? { ...shared, ...boards } : shared], ...rows]
}

export interface ModelName {
  readonly model: string
  readonly variant?: string
}

/** `M30S++_VH70`, `M30S++VH70`, `WhatsMiner M56S VH30` in its parts; undefined if it is no name of a Whatsminer. */
export function modelNameOf(text: string | undefined): ModelName | undefined {
  const name = text?.toUpperCase().replace(/^WHATSMINER|[\s_-]/g, '') ?? ''
  const match = /^(M\d[0-9A-Z]*?\+*)(V[0-9A-Z]+)?$/.exec(name)
  if (!match?.[1]) return undefined
  return match[2] ? { model: match[1], variant: match[2] } : { model: match[1] }
}

/** The row of a model; the last digit of a variant is a sub-bin of the same hardware, and an unknown variant still has its series' cooling. */
export function whatsminerModel(model: string, variant = ''): Model | undefined {
  const exact = `${model}${variant}`
  return whatsminerModels[exact] ?? whatsminerModels[exact.replace(/.$/, '0')] ?? whatsminerModels[model]
}

/** Liquid-cooled: no fans of its own, and power above 100 % may be allowed. */
export function isLiquid(model: Model): boolean {
  return model.cooling === 'hydro' || model.cooling === 'immersion' || model.fans === 0
}
