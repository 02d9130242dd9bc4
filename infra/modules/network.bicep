// A network for the app, with private endpoints of storage and vault in it. Used with privateNetwork alone.

param name string
param location string
param tags object
param addresses string
param appAddresses string
param endpointAddresses string
param storageId string
param vaultId string

@description('Another account that holds the segments; empty where there is none.')
param segmentAccountId string

// Public names resolve to private addresses inside the network by these zones.
var suffix = environment().suffixes.storage
var zones = [
  'privatelink.blob.${suffix}'
  'privatelink.queue.${suffix}'
  'privatelink.table.${suffix}'
  'privatelink.vaultcore.azure.net'
]

var ofApp = [
  { name: 'blob', service: 'blob', zone: zones[0], id: storageId }
  { name: 'queue', service: 'queue', zone: zones[1], id: storageId }
  { name: 'table', service: 'table', zone: zones[2], id: storageId }
  { name: 'vault', service: 'vault', zone: zones[3], id: vaultId }
]
var ofSegments = [
  { name: 'segments', service: 'blob', zone: zones[0], id: segmentAccountId }
]
var targets = empty(segmentAccountId) ? ofApp : concat(ofApp, ofSegments)

resource closed 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'from-the-network-alone'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addresses] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: appAddresses
          networkSecurityGroup: { id: closed.id }
          // Flex Consumption runs in an environment of Container Apps: this delegation, not Microsoft.Web/serverFarms.
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointAddresses
          networkSecurityGroup: { id: closed.id }
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for each in zones: {
    name: each
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (each, index) in zones: {
    parent: zone[index]
    name: name
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for target in targets: {
    name: '${name}-${target.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: '${network.id}/subnets/endpoints' }
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            privateLinkServiceId: target.id
            groupIds: [target.service]
          }
        }
      ]
    }
  }
]

resource address 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (target, index) in targets: {
    parent: endpoint[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: target.service
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', target.zone) }
        }
      ]
    }
    dependsOn: [link]
  }
]

output appSubnetId string = '${network.id}/subnets/app'
