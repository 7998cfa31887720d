import { openStore } from '#replication'
import { mkdtempSync } from 'node:fs'
const path = mkdtempSync('/tmp/store')
const N = 1000
const make = (i: number, at: number, k: number): any => ({ id: `home.wm.10.0.${i>>8}.${i&255}`, kind:'miner', make:'MicroBT', model:'M56S', firmware:{family:'stock',version:'1'}, site:'home', worker:'wm', address:`10.0.${i>>8}.${i&255}:4028`, tags:[], location:{}, simulated:true, status:'mining', health:'ok', at, askedAt: at, latencyMs: 12+Math.floor(Math.random()*20),
 metrics:{ hashrateThs: Math.round((200+Math.random()*10)*100)/100, hashrate1mThs: Math.round((200+Math.random()*5)*100)/100, hashrate5mThs: Math.round((200+Math.random()*2)*100)/100, expectedHashrateThs:212, nominalHashrateThs:212, powerW:5500+Math.floor(Math.random()*40), efficiencyJTh: Math.round(2700+Math.random()*40)/100, boardTempMaxC:70+Math.floor(Math.random()*3), chipTempMaxC: Math.round(8400+Math.random()*200)/100, chipTempAvgC: Math.round(8000+Math.random()*200)/100, fanMaxRpm: 5800+Math.floor(Math.random()*10)*10, uptimeS: k*10, acceptedShares: k*3, rejectedShares: k>>7, ambientTempC: 25},
 boards:[0,1,2].map(slot=>({slot,status:'ok',hashrateThs:70+Math.random(),chips:100,frequencyMhz:600, chipTempMaxC: 80+Math.random()})), fans:[0,1].map(index=>({index,rpm:5800+Math.floor(Math.random()*100)})), pools:[{index:0,url:'stratum+tcp://a:3333',user:'u',active:true,alive:true,accepted:k}], errors:[], missing:{}, capabilities:['reboot'] })
const s = await openStore({ path, worker:'wm', site:'home', intervalMs:10000 })
let at = 1_800_000_000_000
const steps = Number(process.argv[2] ?? 200)
let cpu=0, n=0, gen=0
for (let k=0;k<steps;k++) { for (let j=0;j<10;j++) { const recs=[]; for (let i=j*N/10;i<(j+1)*N/10;i++) recs.push(make(i, at+i, k)); at+=1000; const c=process.cpuUsage(); await s.append({at, records: recs}); const d=process.cpuUsage(c); cpu+=d.user+d.system; n+=recs.length } }
console.log('us cpu/sample', cpu/n, s.stats(), process.memoryUsage().rss/1e6)
let t=performance.now(); const h=await s.history({deviceId:'home.wm.10.0.1.5', metrics:['hashrateThs','powerW'], from: at-86400000, to: at, step:'raw'}); console.log(h.at.length, performance.now()-t)
t=performance.now(); const h5=await s.history({deviceId:'home.wm.10.0.1.5', metrics:['hashrateThs','powerW','uptimeS'], from: at-3600000*2, to: at, step:'5m'}); console.log(h5.at.length, h5.series, performance.now()-t)
await s.close()
t=performance.now(); const s2=await openStore({ path, worker:'wm', site:'home', intervalMs:10000 }); console.log('reopen ms', performance.now()-t, s2.records().length, s2.record('home.wm.10.0.1.5')?.metrics)
const h2=await s2.history({deviceId:'home.wm.10.0.1.5', metrics:['hashrateThs','powerW'], from: at-86400000, to: at, step:'raw'}); console.log(JSON.stringify(h)===JSON.stringify(h2))
await s2.close()
