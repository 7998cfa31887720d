/** Facts of one simulated model. Board, chip and fan counts: protocols/models-hardware.csv; rates and J/TH: vendor labels. */
export interface Hardware {
  readonly model: string
  readonly cooling: 'air' | 'hydro' | 'immersion'
  readonly boards: number
  /** Chips a board. */
  readonly chips: number
  readonly fans: number
  readonly nominalThs: number
  readonly efficiencyJTh: number
  readonly frequencyMhz: number
}

/** How a Whatsminer speaks beside its hardware (protocols/whatsminer.md). */
export interface WhatsminerRow extends Hardware {
  readonly variant: string
  readonly firmware: string
  /** `api_ver` on 4028. */
  readonly api: string
  /** `system.api` on 4433; absent: it has no API v3. */
  readonly apiV3?: string
  readonly platform: string
  readonly controlBoard: string
  readonly psu: string
  /** Early 2.0.x: the summary also carries the fields of v1, and the reply ends with a NUL. */
  readonly legacy?: boolean
  /** How `devdetails` writes model and variant. */
  readonly joint: '' | '_'
  readonly padding: 'zero' | 'pkcs7'
}

export const whatsminers: readonly WhatsminerRow[] = [
  // biome-ignore format: one row a model
  { model: 'M30S++', variant: 'VH70', joint: '', cooling: 'air', boards: 3, chips: 70, fans: 2, nominalThs: 102, efficiencyJTh: 31.9, frequencyMhz: 788,
    firmware: '20220125.13.Rel', api: '2.0.3', platform: 'H6OS', controlBoard: 'V8', psu: 'P221B', legacy: true, padding: 'zero' },
  // biome-ignore format: one row a model
  { model: 'M50S', variant: 'VH50', joint: '_', cooling: 'air', boards: 3, chips: 135, fans: 2, nominalThs: 126, efficiencyJTh: 26, frequencyMhz: 600,
    firmware: '20230803.11.REL', api: '2.0.5', platform: 'H616', controlBoard: 'CB6V10', psu: 'P222B', padding: 'pkcs7' },
  // biome-ignore format: one row a model
  { model: 'M56S', variant: 'VH30', joint: '_', cooling: 'immersion', boards: 4, chips: 152, fans: 0, nominalThs: 212, efficiencyJTh: 26, frequencyMhz: 640,
    firmware: '20230911.12.Rel', api: '2.0.5', platform: 'H616', controlBoard: 'CB6V10', psu: 'P463B', padding: 'zero' },
  // biome-ignore format: one row a model
  { model: 'M60S', variant: 'VK40', joint: '_', cooling: 'air', boards: 3, chips: 225, fans: 2, nominalThs: 186, efficiencyJTh: 18.5, frequencyMhz: 520,
    firmware: '20251209.16.Rel2', api: '2.2.2', apiV3: '3.0.2', platform: 'H616', controlBoard: 'CB6V10', psu: 'P221C', padding: 'pkcs7' },
  // biome-ignore format: one row a model
  { model: 'M63', variant: 'VK30', joint: '_', cooling: 'hydro', boards: 4, chips: 272, fans: 0, nominalThs: 360, efficiencyJTh: 19.9, frequencyMhz: 560,
    firmware: '20260312.16.REL3', api: '2.2.2', apiV3: '3.0.5', platform: 'H616', controlBoard: 'CB6V10', psu: 'P564B', padding: 'pkcs7' },
]

/** The form of an Antminer's replies, by firmware (protocols/antminer.md §1.3, §1.4). */
export interface AntminerRow extends Hardware {
  readonly compiled: string
  readonly minerVersion: string
  /** `system_filesystem_version`. */
  readonly firmware: string
  readonly release: 'Release' | 'release'
  /** `<control board>_<hashboard>`; absent: no miner_type.cgi. */
  readonly subtype?: string
  /** Which keys get_miner_conf has: all, those of Release builds, or those and bitmain-user-ip-cat. */
  readonly config: 'full' | 'release' | 'hydro'
  /** Which keys stats has: without power (to 2023), with `watt`, or all that builds of 2026 have. */
  readonly stats: 'plain' | 'watt' | 'rich'
  /** What the four places of temp_pic measure: air in or out, or the board. */
  readonly pic: 'IIOO' | 'OOII' | 'BBBB'
  /** Letters a group in the chip map. */
  readonly group: number
  /** This build puts the two coolant temperatures where others have four chips. */
  readonly coolantPair?: boolean
  /** It has the engineering port 6060. */
  readonly engineering?: boolean
}

export const antminers: readonly AntminerRow[] = [
  // biome-ignore format: one row a model
  { model: 'S19 Pro', cooling: 'air', boards: 3, chips: 114, fans: 4, nominalThs: 110, efficiencyJTh: 29.5, frequencyMhz: 525, pic: 'IIOO', group: 3,
    compiled: 'Tue Dec  6 16:12:30 CST 2022', minerVersion: '49.0.1.3', firmware: 'Tue Dec  6 16:12:30 CST 2022', release: 'release', config: 'full', stats: 'plain' },
  // biome-ignore format: one row a model
  { model: 'S19 XP', cooling: 'air', boards: 3, chips: 110, fans: 4, nominalThs: 140, efficiencyJTh: 21, frequencyMhz: 545, pic: 'OOII', group: 5,
    compiled: 'Fri Nov 17 17:37:21 CST 2023', minerVersion: '59.0.1.3', firmware: 'Fri Nov 17 17:37:21 CST 2023', release: 'Release', subtype: 'AMLCtrl_BHB56XXX', config: 'full', stats: 'plain' },
  // biome-ignore format: one row a model
  { model: 'S21', cooling: 'air', boards: 3, chips: 108, fans: 4, nominalThs: 200, efficiencyJTh: 17.5, frequencyMhz: 490, pic: 'IIOO', group: 5, engineering: true,
    compiled: 'Thu Oct  9 18:55:45 CST 2025', minerVersion: 'uart_trans.1.3', firmware: 'FR-1.12(251009-S21)', release: 'Release', subtype: 'AMLCtrl_BHB68XXX', config: 'release', stats: 'plain' },
  // biome-ignore format: one row a model
  { model: 'S21 Pro+', cooling: 'air', boards: 3, chips: 65, fans: 4, nominalThs: 245, efficiencyJTh: 14.3, frequencyMhz: 625, pic: 'IIOO', group: 5, engineering: true,
    compiled: 'Thu Apr 30 20:05:42 CST 2026', minerVersion: 'uart_trans.1.3', firmware: 'FR-1.15(260430-S21Pro+)', release: 'Release', subtype: 'AMLCtrl_BHB70XXX', config: 'release', stats: 'watt' },
  // biome-ignore format: one row a model
  { model: 'S21 XP Hyd.', cooling: 'hydro', boards: 3, chips: 160, fans: 0, nominalThs: 473, efficiencyJTh: 12, frequencyMhz: 440, pic: 'BBBB', group: 5, coolantPair: true,
    compiled: 'Thu Jan  8 15:44:15 CST 2026', minerVersion: '71.0.1.3', firmware: 'FR-1.14(260108-S21XPHyd)', release: 'Release', subtype: 'AMLCtrl_BHB71XXX', config: 'hydro', stats: 'rich' },
]
