// What differs between deployments. Each value can be set here, or in the environment of infra/deploy.sh; none of them
// is a secret: the API keys of Campaign Monitor go straight into the vault.
using './main.bicep'

param alertEmail = readEnvironmentVariable('ALERT_EMAIL')
param keyAdministrator = readEnvironmentVariable('KEY_ADMINISTRATOR', '')
param customerInsightsPrincipal = readEnvironmentVariable('CUSTOMER_INSIGHTS_PRINCIPAL', '')
param functionKeyRole = readEnvironmentVariable('FUNCTION_KEY_ROLE', 'contributor')
param signInClientId = readEnvironmentVariable('SIGN_IN_CLIENT_ID', '')

// Customer Insights writes to an account that you have already:
// param segmentAccount = 'contosodata'
// param segmentResourceGroup = 'contoso-data'
// param segmentContainer = 'customerinsights'

// No way to storage and vault from the internet:
// param privateNetwork = true
// param keyAdministratorAddresses = ['203.0.113.7']
