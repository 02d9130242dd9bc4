// Who is told of what. The queries lie in infra/queries, where tests run them; docs/operations.md says what to do.

param name string
param location string
param tags object
param email string
param workspaceId string

// One alert for each value of the column, which its mail names.
var eachExport = { name: 'export', operator: 'Include', values: ['*'] }
var eachRun = { name: 'run', operator: 'Include', values: ['*'] }

var rules = [
  {
    name: 'run-failed'
    says: 'A run failed.'
    severity: 1
    query: loadTextContent('../queries/run-failed.kql')
    by: [eachExport, eachRun]
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    name: 'overdue'
    says: 'An export is due, and no run of it has come to an end for two hours.'
    severity: 1
    query: loadTextContent('../queries/overdue.kql')
    by: [eachExport]
    window: 'P1D'
    every: 'PT30M'
  }
  {
    name: 'no-tick'
    says: 'ExportTimer has not ticked for two hours: nothing starts by itself.'
    severity: 1
    query: loadTextContent('../queries/no-tick.kql')
    by: []
    window: 'PT2H'
    every: 'PT30M'
  }
  {
    name: 'poison'
    says: 'A message came into the poison queue: a step died five times.'
    severity: 2
    query: loadTextContent('../queries/poison.kql')
    by: []
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    name: 'out-of-memory'
    says: 'An instance ran out of memory.'
    severity: 2
    query: loadTextContent('../queries/out-of-memory.kql')
    by: []
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    name: 'key-rejected'
    says: 'Campaign Monitor does not accept an API key (HTTP 401).'
    severity: 1
    query: loadTextContent('../queries/key-rejected.kql')
    by: [eachExport]
    window: 'PT30M'
    every: 'PT15M'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'segments'
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

// Each query gives one row for each thing to tell, and no row when all is well.
resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.says
      description: 'What to do: docs/operations.md, under ${rule.name}.'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      // A table of the workspace is there with its first row; before, the query would be turned down.
      skipQueryValidation: true
      // Told once; over when the query gives no row any more.
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: rule.by
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]
