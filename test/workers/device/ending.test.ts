import test from 'brittle'
import { SdkError } from '#model'
import { Ending } from '../../../src/workers/device/ending.js'

test('the signal of a visit that ended well serves the next visit, whichever device it is of', (t) => {
  const [one, other] = [new Ending(), new Ending()]
  const signal = one.enter()
  one.leave()
  t.is(other.enter(), signal)
  one.end(new SdkError('CANCELLED', 'removed'))
  t.absent(signal.aborted, 'it is no longer of the one that ended')
  other.leave()
})

test('who ends a device ends its visit and all else, and no signal that aborted is used again', (t) => {
  const removed = new SdkError('CANCELLED', 'removed')
  const device = new Ending()
  const [visit, whole] = [device.enter(), device.signal]
  device.end(removed)
  t.alike([visit.reason, whole.reason], [removed, removed])
  device.leave()
  t.ok(device.ended)
  t.ok(device.enter().aborted, 'nothing begins any more')
  const next = new Ending()
  t.absent(next.enter().aborted)
  t.absent(next.signal.aborted)
})
