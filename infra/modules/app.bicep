// The function app on Flex Consumption: what it runs on, what it is told, and who gets in.

param name string
param location string
param tags object
param identityId string
param identityClientId string
param deploymentContainer string

@description('Empty: no network of its own.')
param subnetId string
param instanceMemory int
param insightsConnectionString string
param blobUri string
param queueUri string
param tableUri string
param segmentBlobUri string
param segmentContainer string
param vaultUri string
param schedule string
param queue string
param uploadConcurrency int
param parallelSlices int
param quietMinutes int
param functionKeyRole string

@description('Empty: no sign-in.')
param signInClientId string
param workspaceId string

var signsIn = !empty(signInClientId)

// Every setting by the identity; nothing here is secret. docs/settings.md says what they mean to the app.
var settings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobUri
  AzureWebJobsStorage__queueServiceUri: queueUri
  AzureWebJobsStorage__tableServiceUri: tableUri
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  ExportStorage__credential: 'managedidentity'
  ExportStorage__clientId: identityClientId
  ExportStorage__blobServiceUri: blobUri
  ExportStorage__queueServiceUri: queueUri
  SegmentStorage__credential: 'managedidentity'
  SegmentStorage__clientId: identityClientId
  SegmentStorage__blobServiceUri: segmentBlobUri
  SEGMENT_CONTAINER: segmentContainer
  KEY_VAULT_URL: vaultUri
  EXPORT_SCHEDULE: schedule
  EXPORT_QUEUE: queue
  UPLOAD_CONCURRENCY: string(uploadConcurrency)
  PARALLEL_SLICES: string(parallelSlices)
  QUIET_MINUTES: string(quietMinutes)
  FUNCTION_KEY_ROLE: functionKeyRole
}

var signInSettings = {
  REQUIRE_SIGN_IN: 'true'
  // In place of a client secret: the registration trusts the app's identity.
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: tenant().tenantId
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemory
        // The least that every region takes. What a run may have in flight, PARALLEL_SLICES limits.
        maximumInstanceCount: 40
        triggers: { http: { perInstanceConcurrency: 8 } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }
}

// The package is deployed with a token of whoever is signed in to az: no user name and password for it.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for way in ['ftp', 'scm']: {
    parent: app
    name: way
    properties: { allow: false }
  }
]

// Before the settings: the console believes who the platform says is there only with REQUIRE_SIGN_IN, and by then the
// platform asks.
resource signIn 'Microsoft.Web/sites/config@2024-11-01' = if (signsIn) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    httpSettings: { requireHttps: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
      // Programs come with a function key, az with the master key; neither of these doors believes a header.
      excludedPaths: ['/api/*', '/admin/*']
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          clientId: signInClientId
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
        }
        validation: {
          allowedAudiences: [signInClientId, 'api://${signInClientId}']
          defaultAuthorizationPolicy: { allowedApplications: [signInClientId] }
        }
      }
    }
    login: { tokenStore: { enabled: true } }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, signsIn ? signInSettings : {})
  dependsOn: [signIn]
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    // Beside Application Insights: this way also works when the identity or the telemetry does not.
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
