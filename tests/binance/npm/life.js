// The life of a customer's bot, the same for every client of npm; clients/life.py says it in Python.
'use strict'
const assert = require('node:assert/strict')
const readline = require('node:readline')

const settings = { url: process.env.ADDRESS, key: process.env.API_KEY, secret: process.env.API_SECRET }
const near = (text, amount) => assert.equal(Number(text), amount)

async function live (call, codeOf) {
  const code = async (name, parameters) => {
    try {
      await call(name, parameters)
    } catch (error) {
      return codeOf(error)
    }
    assert.fail(`${name} was not refused`)
  }
  const rows = async (name, parameters) => (await call(name, parameters)).rows

  await lookAround(call, rows)
  const positions = await subscribe(call, rows)
  assert.equal(await code('subscribeFlexible', { productId: 'NONE', amount: 1 }), -6001)
  assert.equal(await code('subscribeFlexible', { productId: 'USDT-FLEX', amount: 5000 }), -6012)
  assert.equal(await code('subscribeLocked', { projectId: 'NONE', amount: 1 }), -6020)
  assert.equal(await code('redeemLocked', { positionId: '12' }), -6003)
  assert.equal(await code('redeemFlexible', { productId: 'USDT-FLEX', amount: 99999 }), -6006)
  console.log('two days')
  await new Promise((resolve) => readline.createInterface({ input: process.stdin }).once('line', resolve))
  await lookBack(call, rows)
  await leave(call, rows, positions)
  assert.equal(await code('redeemLocked', { positionId: positions[0] }), -6008)
  console.log('done')
  process.exit(0)
}

async function lookAround (call, rows) {
  const flexible = (await rows('flexibleList', { asset: 'USDT', size: 100 })).find((row) => row.productId === 'USDT-FLEX')
  assert.equal(flexible.canPurchase, true)
  const locked = (await rows('lockedList', { asset: 'USDT', size: 50 })).find((row) => row.projectId === 'USDT-30')
  assert.equal(locked.detail.duration, 30)
  near((await call('flexibleQuota', { productId: 'USDT-FLEX' })).leftPersonalQuota, 20000)
  assert.ok(Number((await call('lockedQuota', { projectId: 'USDT-30' })).leftPersonalQuota) > 0)
  near((await call('flexiblePreview', { productId: 'USDT-FLEX', amount: 10000 })).estDailyBonusRewards, 0.30410958)
  const [preview] = await call('lockedPreview', { projectId: 'USDT-30', amount: 1000 })
  near(preview.totalRewardAmt, 6.57534246)
  near((await call('account', {})).totalAmountInUSDT, 0)
}

async function subscribe (call, rows) {
  const some = { productId: 'USDT-FLEX', autoSubscribe: false }
  assert.equal((await call('subscribeFlexible', { ...some, amount: 100 })).success, true)
  await call('subscribeFlexible', { ...some, amount: 50, sourceAccount: 'FUND' })
  const last = await call('subscribeFlexible', { ...some, amount: 950, sourceAccount: 'ALL' })
  const records = await rows('flexibleSubscriptions', { asset: 'USDT' })
  assert.equal(records[0].purchaseId, last.purchaseId)
  assert.deepEqual(records.map((row) => row.sourceAccount), ['SPOTANDFUNDING', 'FUNDING', 'SPOT'])
  await call('subscribeFlexible', { productId: 'BTC-FLEX', amount: 0.0000001, autoSubscribe: true })
  const held = await rows('flexiblePosition', { size: 100 })
  near(held.find((row) => row.productId === 'USDT-FLEX').totalAmount, 1100)
  near(held.find((row) => row.productId === 'BTC-FLEX').totalAmount, 0.0000001)
  assert.equal(held.find((row) => row.productId === 'BTC-FLEX').autoSubscribe, true)
  assert.equal((await call('flexibleAuto', { productId: 'BTC-FLEX', autoSubscribe: false })).success, true)
  const redeemed = await call('redeemFlexible', { productId: 'USDT-FLEX', amount: 600 })
  const [record] = await rows('flexibleRedemptions', { redeemId: redeemed.redeemId })
  near(record.amount, 600)
  const positions = [
    (await call('subscribeLocked', { projectId: 'USDT-30', amount: 150, redeemTo: 'SPOT' })).positionId,
    (await call('subscribeLocked', { projectId: 'USDT-90-LATE', amount: 50, autoSubscribe: false })).positionId
  ]
  await call('lockedAuto', { positionId: positions[0], autoSubscribe: false })
  await call('redeemOption', { positionId: positions[0], redeemTo: 'FLEXIBLE' })
  const [row] = await rows('lockedPosition', { positionId: positions[0] })
  assert.deepEqual([row.autoSubscribe, row.redeemTo], [false, 'FLEXIBLE'])
  assert.equal((await rows('lockedSubscriptions', {})).length, 2)
  return positions
}

async function lookBack (call, rows) {
  const rewards = await rows('flexibleRewards', { type: 'ALL', size: 100 })
  assert.ok(rewards.length > 0)
  assert.deepEqual(await rows('flexibleRewards', { type: 'REALTIME' }), [])
  for (const held of await rows('flexiblePosition', {})) {
    const paid = rewards.filter((row) => row.projectId === held.productId)
    const units = (text) => BigInt(String(text).includes('.') ? Number(text).toFixed(8).replace('.', '') : text + '00000000')
    const sum = paid.reduce((total, row) => total + units(row.rewards), 0n)
    assert.equal(sum, units(held.cumulativeTotalRewards))
  }
  assert.ok((await rows('lockedRewards', {})).length > 0)
  assert.ok((await rows('rates', { productId: 'USDT-FLEX' })).length > 0)
  assert.deepEqual(await rows('collateral', { productId: 'USDT-FLEX' }), [])
}

async function leave (call, rows, positions) {
  for (const positionId of positions) {
    const [row] = await rows('lockedPosition', { positionId })
    const done = await call('redeemLocked', { positionId })
    const [record] = await rows('lockedRedemptions', { redeemId: done.redeemId })
    assert.deepEqual([record.type, record.amount], ['AHEAD', row.redeemAmountEarly])
  }
  for (const productId of ['USDT-FLEX', 'BTC-FLEX']) {
    await call('redeemFlexible', { productId, redeemAll: true, destAccount: 'FUND' })
  }
  assert.deepEqual(await rows('flexiblePosition', {}), [])
  assert.deepEqual(await rows('lockedPosition', {}), [])
  assert.equal((await rows('flexibleRedemptions', {})).length, 3)
}

module.exports = { live, settings }
