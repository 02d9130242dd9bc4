#!/usr/bin/env bash
# Registers the app with Entra ID, so that people can sign in to the console: app roles, and the app's own identity in
# place of a client secret. Run again, it changes nothing that is as it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/az.sh
. infra/az.sh

usage() {
  cat <<'TEXT'
usage: infra/sign-in.sh --group NAME [--dry-run]

  --group NAME   the resource group of a deployment
  --dry-run      print each az command, and run none

It ends with the value of SIGN_IN_CLIENT_ID for infra/deploy.sh. docs/deploy.md says how people get a role.
TEXT
}

group=''
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --group)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      group=$2
      shift
      ;;
    --dry-run) dry_run=true ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$group" ] || { usage >&2; exit 2; }

begin 'find the app'
signed_in
scratch=$(mktemp -d)
outputs "$group" appName appHost identityPrincipalId >"$scratch/outputs"
{ read -r app && read -r host && read -r identity; } <"$scratch/outputs" \
  || fail "the resource group $group holds no deployment of this app." 'Deploy it: infra/deploy.sh'
tenant=$(read_or '<tenant>' account show --query tenantId --output tsv)

begin 'register it'
client=$(read_or '<client>' ad app list --display-name "$app" --query '[0].appId' --output tsv)
if [ -z "$client" ]; then
  client=$(az ad app create --display-name "$app" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
change ad app update --id "$client" --web-redirect-uris "https://$host/.auth/login/aad/callback" \
  --enable-id-token-issuance true --app-roles @infra/app-roles.json

begin 'trust the identity of the app, in place of a secret'
trusted=$(read_or '' ad app federated-credential list --id "$client" --query "[?subject=='$identity'].name" --output tsv)
if [ -z "$trusted" ]; then
  change ad app federated-credential create --id "$client" --parameters "{\"name\": \"app\",
    \"issuer\": \"https://login.microsoftonline.com/$tenant/v2.0\", \"subject\": \"$identity\",
    \"audiences\": [\"api://AzureADTokenExchange\"]}" --output none
fi

begin 'let nobody in without a role'
principal=$(read_or '' ad sp list --filter "appId eq '$client'" --query '[0].id' --output tsv)
if [ -z "$principal" ]; then
  change ad sp create --id "$client" --output none
fi
change ad sp update --id "$client" --set appRoleAssignmentRequired=true

say "Now deploy with it: SIGN_IN_CLIENT_ID=$client infra/deploy.sh --group $group"
