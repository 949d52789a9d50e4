// `@binance/connector` from npm. It has no method for the redeem option, and asks for that in its own general way.
'use strict'
const { Spot } = require('@binance/connector')
const { live, settings } = require('./life.js')

const client = new Spot(settings.key, settings.secret, { baseURL: settings.url })
const methods = {
  flexibleList: ['getFlexibleProductList'],
  lockedList: ['getLockedProductList'],
  flexibleQuota: ['getFlexiblePersonalLeftQuota', 'productId'],
  lockedQuota: ['getLockedPersonalLeftQuota', 'projectId'],
  flexiblePreview: ['getFlexibleSubscriptionPreview', 'productId', 'amount'],
  lockedPreview: ['getLockedSubscriptionPreview', 'projectId', 'amount'],
  subscribeFlexible: ['subscribeFlexibleProduct', 'productId', 'amount'],
  subscribeLocked: ['subscribeLockedProduct', 'projectId', 'amount'],
  redeemFlexible: ['redeemFlexibleProduct', 'productId'],
  redeemLocked: ['redeemLockedProduct', 'positionId'],
  flexiblePosition: ['getFlexibleProductPosition'],
  lockedPosition: ['getLockedProductPosition'],
  account: ['getSimpleAccount'],
  flexibleAuto: ['setFlexibleAutoSubscribe', 'productId', 'autoSubscribe'],
  lockedAuto: ['setLockedAutoSubscribe', 'positionId', 'autoSubscribe'],
  flexibleSubscriptions: ['getFlexibleSubscriptionRecord'],
  lockedSubscriptions: ['getLockedSubscriptionRecord'],
  flexibleRedemptions: ['getFlexibleRedemptionRecord'],
  lockedRedemptions: ['getLockedRedemptionRecord'],
  flexibleRewards: ['getFlexibleRewardsRecord', 'type'],
  lockedRewards: ['getLockedRewardsRecord'],
  rates: ['getRateHistory', 'productId'],
  collateral: ['getCollateralRecord']
}

async function call (name, parameters) {
  if (name === 'redeemOption') {
    return (await client.signRequest('POST', '/sapi/v1/simple-earn/locked/setRedeemOption', parameters)).data
  }
  const [method, ...first] = methods[name]
  const options = Object.fromEntries(Object.entries(parameters).filter(([key]) => !first.includes(key)))
  return (await client[method](...first.map((key) => parameters[key]), options)).data
}

live(call, (error) => error.response.data.code)
