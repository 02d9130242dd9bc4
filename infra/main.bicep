// Everything that the app needs in Azure, for one resource group. Plain resources, no registry: it builds offline.
// A second deployment with the same parameters changes nothing: every name and every role assignment is computed.
targetScope = 'resourceGroup'

@description('Begins the name of every resource: lower-case letters and digits, a letter first.')
@minLength(3)
@maxLength(10)
param name string = 'segments'

@description('Where everything is. The region must offer Flex Consumption: az functionapp list-flexconsumption-locations.')
param location string = resourceGroup().location

@description('On every resource, for your own bookkeeping.')
param tags object = {}

@description('Who is told when something goes wrong.')
param alertEmail string

@description('When ExportTimer ticks, NCRONTAB, UTC: {second} {minute} {hour} {day} {month} {day of week}.')
param schedule string = '0 */15 * * * *'

@description('The container that Customer Insights writes to.')
param segmentContainer string = 'customerinsights'

@description('An existing account that Customer Insights writes to. Empty: the account made here.')
param segmentAccount string = ''

@description('Its resource group.')
param segmentResourceGroup string = resourceGroup().name

@description('Its subscription.')
param segmentSubscription string = subscription().subscriptionId

@description('Object ID of the service principal "Dynamics 365 AI for Customer Insights", so that it may write to the container made here.')
param customerInsightsPrincipal string = ''

@description('Object ID of who may store the API keys of Campaign Monitor in the vault. Empty: nobody yet.')
param keyAdministrator string = ''

@description('What keyAdministrator is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param keyAdministratorType string = 'User'

@description('What a caller with the function key may do.')
@allowed(['admin', 'contributor', 'viewer'])
param functionKeyRole string = 'contributor'

@description('Client ID of the app registration that people sign in with. Empty: no sign-in, and the console stays shut.')
param signInClientId string = ''

@description('Import calls in flight in one invocation.')
@minValue(1)
@maxValue(64)
param uploadConcurrency int = 8

@description('Slices of one run in work at once.')
@minValue(1)
@maxValue(64)
param parallelSlices int = 2

@description('A snapshot younger than this, in minutes, is still being written.')
@minValue(0)
@maxValue(1440)
param quietMinutes int = 5

@description('Days until what a run left behind is deleted: its record, its slices, its rejects.')
@minValue(1)
param runDays int = 30

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Most that may be logged in a day, in GB: a guard of the bill.')
@minValue(1)
param logGigabytesPerDay int = 1

@description('How storage is copied: over the zones of the region, or within one.')
@allowed(['Standard_ZRS', 'Standard_LRS', 'Standard_GZRS', 'Standard_GRS'])
param storageRedundancy string = 'Standard_ZRS'

@description('Memory of an instance in MB.')
@allowed([2048, 4096])
param instanceMemory int = 2048

@description('Close storage and vault to the internet; the app reaches them through a network of its own.')
param privateNetwork bool = false

@description('The address range of that network.')
param networkAddresses string = '10.90.0.0/24'

@description('The part of it for the app: an instance takes an address.')
param appAddresses string = '10.90.0.0/25'

@description('The part of it for the private endpoints.')
param endpointAddresses string = '10.90.0.128/25'

@description('With privateNetwork: addresses from which keys may still be put into the vault. Empty: from the network alone.')
param keyAdministratorAddresses array = []

var suffix = uniqueString(resourceGroup().id, name)
var queue = 'export-work'
var hasOwnSegments = empty(segmentAccount)
var segmentAccountId = resourceId(segmentSubscription, segmentResourceGroup, 'Microsoft.Storage/storageAccounts', segmentAccount)
var segmentAccountUri = 'https://${segmentAccount}.blob.${environment().suffixes.storage}/'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${name}-${suffix}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    logDays: logDays
    logGigabytesPerDay: logGigabytesPerDay
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: '${name}${suffix}'
    location: location
    tags: tags
    redundancy: storageRedundancy
    queue: queue
    segmentContainer: hasOwnSegments ? segmentContainer : ''
    runDays: runDays
    isPrivate: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    isPrivate: privateNetwork
    administratorAddresses: keyAdministratorAddresses
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.properties.principalId
    storageName: storage.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
    keyAdministrator: keyAdministrator
    keyAdministratorType: keyAdministratorType
    segmentContainer: hasOwnSegments ? segmentContainer : ''
    customerInsightsPrincipal: customerInsightsPrincipal
  }
}

// The same file, in the resource group of the account that is there already: one role and nothing else.
module segmentRoles 'modules/roles.bicep' = if (!hasOwnSegments) {
  name: 'segment-roles-${suffix}'
  scope: resourceGroup(segmentSubscription, segmentResourceGroup)
  params: {
    principalId: identity.properties.principalId
    segmentAccount: segmentAccount
    segmentContainer: segmentContainer
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    addresses: networkAddresses
    appAddresses: appAddresses
    endpointAddresses: endpointAddresses
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    segmentAccountId: hasOwnSegments ? '' : segmentAccountId
  }
}

// Last: what the app may do and what it reaches is there before it starts.
module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    identityId: identity.id
    identityClientId: identity.properties.clientId
    deploymentContainer: storage.outputs.deploymentContainer
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    instanceMemory: instanceMemory
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    blobUri: storage.outputs.blobUri
    queueUri: storage.outputs.queueUri
    tableUri: storage.outputs.tableUri
    segmentBlobUri: hasOwnSegments ? storage.outputs.blobUri : segmentAccountUri
    segmentContainer: segmentContainer
    vaultUri: vault.outputs.uri
    schedule: schedule
    queue: queue
    uploadConcurrency: uploadConcurrency
    parallelSlices: parallelSlices
    quietMinutes: quietMinutes
    functionKeyRole: functionKeyRole
    signInClientId: signInClientId
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [
    roles
    segmentRoles
  ]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
  }
}

output appName string = app.outputs.name
output appHost string = app.outputs.hostName
output storageName string = storage.outputs.name
output vaultName string = vault.outputs.name
output identityPrincipalId string = identity.properties.principalId
output workspaceCustomerId string = monitoring.outputs.workspaceCustomerId
