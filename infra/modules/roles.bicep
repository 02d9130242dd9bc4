// Every role assignment there is. main.bicep uses this file for its own resource group and, where the segments are in
// an account that exists already, once more for that account's: an assignment whose resource is not named is left out.

@description('The identity of the app.')
param principalId string
param storageName string = ''
param vaultName string = ''
param insightsName string = ''
param keyAdministrator string = ''
param keyAdministratorType string = 'User'
param customerInsightsPrincipal string = ''

@description('The account of the segments, where it is another one.')
param segmentAccount string = ''
param segmentContainer string = ''

// Built-in roles: the same in every tenant.
var role = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  'Storage Blob Data Reader': '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb'
}

var segmentsIn = empty(segmentAccount) ? storageName : segmentAccount

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = if (!empty(storageName)) {
  name: storageName
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = if (!empty(segmentContainer)) {
  name: '${segmentsIn}/default/${segmentContainer}'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = if (!empty(vaultName)) {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = if (!empty(insightsName)) {
  name: insightsName
}

// The host keeps its locks and the package in blobs, the app its catalog and its state: the host asks for Owner.
resource appBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(storageName)) {
  scope: storage
  name: guid(storage.id, principalId, role['Storage Blob Data Owner'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Storage Blob Data Owner'])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Contributor: the narrower roles lack the call that releases a message that failed.
resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(storageName)) {
  scope: storage
  name: guid(storage.id, principalId, role['Storage Queue Data Contributor'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Storage Queue Data Contributor'])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// The host writes its diagnostic events to a table.
resource appTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(storageName)) {
  scope: storage
  name: guid(storage.id, principalId, role['Storage Table Data Contributor'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Storage Table Data Contributor'])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource appSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(vaultName)) {
  scope: vault
  name: guid(vault.id, principalId, role['Key Vault Secrets User'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Key Vault Secrets User'])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource appTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(insightsName)) {
  scope: insights
  name: guid(insights.id, principalId, role['Monitoring Metrics Publisher'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Monitoring Metrics Publisher'])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Of an account that is there already the app reads one container, and nothing else.
resource appSegments 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(segmentAccount)) {
  scope: container
  name: guid(container.id, principalId, role['Storage Blob Data Reader'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Storage Blob Data Reader'])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource customerInsightsSegments 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(customerInsightsPrincipal) && !empty(segmentContainer)) {
  scope: container
  name: guid(container.id, customerInsightsPrincipal, role['Storage Blob Data Contributor'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Storage Blob Data Contributor'])
    principalId: customerInsightsPrincipal
    principalType: 'ServicePrincipal'
  }
}

resource keyAdministratorSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(keyAdministrator) && !empty(vaultName)) {
  scope: vault
  name: guid(vault.id, keyAdministrator, role['Key Vault Secrets Officer'])
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role['Key Vault Secrets Officer'])
    principalId: keyAdministrator
    principalType: keyAdministratorType
  }
}
