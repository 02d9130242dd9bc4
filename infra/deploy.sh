#!/usr/bin/env bash
# From a resource group, empty or not, to the running app. Run again, it changes what is different and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/az.sh
. infra/az.sh

usage() {
  cat <<'TEXT'
usage: infra/deploy.sh --group NAME [options]

  --group NAME           the resource group
  --location REGION      makes the group there when it does not exist
  --subscription ID      refuse to work in any other subscription
  --parameters FILE      what differs between deployments (default: infra/main.bicepparam)
  --export ID            rehearse this export at the end
  --yes                  do not ask before changing something
  --allow-delete         go on even if the preview shows that something is deleted
  --dry-run              print each az command, and run none

The values that infra/main.bicepparam reads from the environment: ALERT_EMAIL (required), KEY_ADMINISTRATOR,
CUSTOMER_INSIGHTS_PRINCIPAL, FUNCTION_KEY_ROLE, SIGN_IN_CLIENT_ID. None of them is a secret. See docs/deploy.md.
TEXT
}

group='' location='' subscription='' parameters=infra/main.bicepparam export='' yes=false allow_delete=false
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --group | --location | --subscription | --parameters | --export)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      case "$1" in
        --group) group=$2 ;;
        --location) location=$2 ;;
        --subscription) subscription=$2 ;;
        --parameters) parameters=$2 ;;
        --export) export=$2 ;;
      esac
      shift
      ;;
    --yes) yes=true ;;
    --allow-delete) allow_delete=true ;;
    --dry-run) dry_run=true ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$group" ] || { usage >&2; exit 2; }
if [ "$parameters" = infra/main.bicepparam ] && [ -z "${ALERT_EMAIL:-}" ]; then
  fail 'ALERT_EMAIL is not set.' 'Say who is told when something goes wrong: export ALERT_EMAIL=operators@contoso.example'
fi

scratch=$(mktemp -d)
providers='Microsoft.App Microsoft.Web Microsoft.Storage Microsoft.KeyVault Microsoft.ManagedIdentity Microsoft.Insights
  Microsoft.OperationalInsights Microsoft.AlertsManagement Microsoft.Network'

begin 'look who is signed in'
signed_in

begin "look at the resource group $group"
if [ "$dry_run" = true ]; then
  print_call az group exists --name "$group"
elif [ "$(az group exists --name "$group")" != true ]; then
  [ -n "$location" ] || fail "the resource group $group does not exist." \
    'Name a region to have it made: --location northeurope'
  change group create --name "$group" --location "$location" --output none
fi
# Whoever may not look at the whole subscription is not told: the templates would be refused instead.
deleted=$(read_or '' keyvault list-deleted --resource-type vault \
  --query "[?contains(properties.vaultId, '/resourceGroups/$group/')].name" --output tsv) || deleted=''
if [ -n "$deleted" ]; then
  fail "the vault $deleted of an earlier deployment was deleted, and its name is taken until it is purged by itself." \
    "Take it back, with the keys in it: az keyvault recover --name $deleted --resource-group $group"
fi

begin 'register what the subscription has not used before'
registered=$(read_or "$providers" provider list --query "[?registrationState=='Registered'].namespace" --output tsv)
for provider in $providers; do
  if ! printf '%s\n' "$registered" | tr -s ' ' '\n' | grep -qix "$provider"; then
    change provider register --namespace "$provider" --wait --output none
  fi
done

begin 'preview'
read_or '' deployment group what-if --resource-group "$group" --name segments --parameters "$parameters" \
  --no-pretty-print --query "changes[?changeType!='Ignore'].[changeType, resourceId]" --output tsv >"$scratch/changes"
changes=$(grep -cvE '^(NoChange|NoEffect)' "$scratch/changes" || true)
if [ "$changes" -gt 0 ]; then
  grep -vE '^(NoChange|NoEffect)' "$scratch/changes"
elif [ "$dry_run" = false ]; then
  say 'Nothing is different.'
fi
if grep -q '^Delete' "$scratch/changes" && [ "$allow_delete" != true ]; then
  fail 'the preview shows that something is deleted. No resource was changed.' \
    'If that is what you want, run the command again with --allow-delete.'
fi
if [ "$changes" -gt 0 ] && [ "$yes" != true ] && [ "$dry_run" != true ]; then
  [ -t 0 ] || fail 'there is nobody to ask whether to go on. No resource was changed.' 'Run it with --yes.'
  printf 'Change this? [y/N] '
  read -r answer
  case "$answer" in y | Y | yes) ;; *) fail 'you said no. No resource was changed.' ;; esac
fi

begin 'deploy the templates'
change deployment group create --resource-group "$group" --name segments --parameters "$parameters" --output none \
  || fail 'Azure did not take the templates. What it made before it stopped is there and stays; the code is as before.' \
    "What went wrong: az deployment operation group list --resource-group $group --name segments" \
    "  --query \"[?properties.provisioningState=='Failed'].properties.statusMessage\""
app=$(outputs "$group" appName)

begin 'make the package'
infra/package.sh "$scratch/app.zip"

begin 'deploy the package'
tries=0
until change functionapp deployment source config-zip --resource-group "$group" --name "$app" --src "$scratch/app.zip" \
  --output none 2>"$scratch/said"; do
  tries=$((tries + 1))
  if grep -qi 'app appears to be unhealthy' "$scratch/said"; then
    # az asks the app once, and gives up where only others may ask; what follows looks for itself.
    say 'az says that the app appears to be unhealthy. The package is there: looking at it.'
    break
  fi
  # 409: another deployment is running. 403: a new role takes up to ten minutes to work.
  if ! grep -qE '409|Conflict|403|Forbidden|InaccessibleStorage' "$scratch/said" || [ "$tries" -ge 10 ]; then
    cat "$scratch/said" >&2
    fail 'the package was not deployed. The templates are; the app runs the code that it ran before, if any.'
  fi
  say "Not yet: $(tail -n 1 "$scratch/said")"
  pause 60
done

begin 'wait for the functions'
tries=0
until functions=$(read_or 'ExportHttp ExportTimer ExportWorker Console' functionapp function list --resource-group "$group" \
  --name "$app" --query '[].name' --output tsv) && [ -n "$functions" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail 'the package is deployed, but the app shows no functions after ten minutes.' \
    'Deploy it again: run the same command. If that does not help: docs/operations.md, "The app shows no functions".'
  pause 30
done

begin 'look whether it works'
options=(--group "$group")
[ -z "$export" ] || options+=(--export "$export")
[ "$dry_run" = false ] || options+=(--dry-run)
infra/smoke.sh "${options[@]}"
if [ "$dry_run" = true ]; then say 'Nothing was run.'; else say "Done: $app"; fi
