// `binance` from npm.
'use strict'
const { MainClient } = require('binance')
const { live, settings } = require('./life.js')

const client = new MainClient({ api_key: settings.key, api_secret: settings.secret, baseUrl: settings.url })
const methods = {
  flexibleList: 'getFlexibleSavingProducts',
  lockedList: 'getSimpleEarnLockedProductList',
  flexibleQuota: 'getFlexiblePersonalLeftQuota',
  lockedQuota: 'getLockedPersonalLeftQuota',
  flexiblePreview: 'getFlexibleSubscriptionPreview',
  lockedPreview: 'getLockedSubscriptionPreview',
  subscribeFlexible: 'purchaseFlexibleProduct',
  subscribeLocked: 'subscribeSimpleEarnLockedProduct',
  redeemFlexible: 'redeemFlexibleProduct',
  redeemLocked: 'redeemLockedProduct',
  flexiblePosition: 'getFlexibleProductPosition',
  lockedPosition: 'getLockedProductPosition',
  account: 'getSimpleEarnAccount',
  flexibleAuto: 'setFlexibleAutoSubscribe',
  lockedAuto: 'setLockedAutoSubscribe',
  redeemOption: 'setLockedProductRedeemOption',
  flexibleSubscriptions: 'getFlexibleSubscriptionRecord',
  lockedSubscriptions: 'getLockedSubscriptionRecord',
  flexibleRedemptions: 'getFlexibleRedemptionRecord',
  lockedRedemptions: 'getLockedRedemptionRecord',
  flexibleRewards: 'getFlexibleRewardsHistory',
  lockedRewards: 'getLockedRewardsHistory',
  rates: 'getRateHistory',
  collateral: 'getCollateralRecord'
}

live((name, parameters) => client[methods[name]](parameters), (error) => error.code)
