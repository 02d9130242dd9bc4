#!/usr/bin/env bash
# Whether a deployment works: its functions, its health, its storage, and the rehearsal of an export.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/az.sh
. infra/az.sh

usage() {
  cat <<'TEXT'
usage: infra/smoke.sh --group NAME [--export ID] [--dry-run]

  --group NAME   the resource group
  --export ID    rehearse this export: everything but the sending
  --dry-run      print each command, and run none
TEXT
}

group='' export=''
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --group | --export)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      case "$1" in --group) group=$2 ;; --export) export=$2 ;; esac
      shift
      ;;
    --dry-run) dry_run=true ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$group" ] || { usage >&2; exit 2; }
[ "$dry_run" = true ] || need curl 'Install curl.'
scratch=$(mktemp -d)

begin 'find the app'
signed_in
outputs "$group" appName appHost storageName >"$scratch/outputs"
{ read -r app && read -r host && read -r storage; } <"$scratch/outputs" || app=''
[ -n "$app" ] || fail "the resource group $group holds no deployment of this app." 'Deploy it: infra/deploy.sh'

begin 'the functions are there'
functions=$(read_or 'ExportTimer ExportHttp ExportWorker Console' functionapp function list --resource-group "$group" \
  --name "$app" --query '[].name' --output tsv)
for function in ExportTimer ExportHttp ExportWorker Console; do
  case "$functions" in
    *"$function"*) ;;
    *) fail "the app has no function $function." 'Deploy the package again: infra/deploy.sh' ;;
  esac
done

begin 'storage takes no keys'
allowed=$(read_or false storage account show --resource-group "$group" --name "$storage" \
  --query allowSharedKeyAccess --output tsv)
takes_keys() { fail "the account $storage takes keys." 'Deploy the templates again: infra/deploy.sh'; }
[ "$allowed" = false ] || takes_keys
if [ "$dry_run" = true ]; then
  print_call az storage container list --account-name "$storage" --auth-mode key --output none
else
  # The right key, and refused all the same. By the environment: arguments can be seen by every process.
  AZURE_STORAGE_KEY=$(az storage account keys list --resource-group "$group" --account-name "$storage" \
    --query '[0].value' --output tsv)
  export AZURE_STORAGE_KEY
  if az storage container list --account-name "$storage" --auth-mode key --output none 2>/dev/null; then takes_keys; fi
  unset AZURE_STORAGE_KEY
fi

# The key goes to curl by a file that nobody else can read: not by an argument, which every process can.
key=$(read_or '<key>' functionapp keys list --resource-group "$group" --name "$app" \
  --query functionKeys.default --output tsv)
(umask 077 && printf 'header = "x-functions-key: %s"\n' "$key" >"$scratch/curl")

# METHOD PATH [BODY]: prints the HTTP status; the answer is in $scratch/answer.
call() {
  if [ "$dry_run" = true ]; then
    print_call curl --request "$1" "https://$host/api/$2" >&2
    printf '{"ok": true, "id": "<run>"}\n' >"$scratch/answer"
    printf '200\n'
    return
  fi
  curl --silent --show-error --config "$scratch/curl" --request "$1" "https://$host/api/$2" \
    --header 'content-type: application/json' ${3:+--data "$3"} --max-time 100 \
    --output "$scratch/answer" --dump-header "$scratch/headers" --write-out '%{http_code}'
}
# The first text of that name in the answer.
field() { grep -o "\"$1\": *\"[^\"]*\"" "$scratch/answer" | head -n 1 | cut -d '"' -f 4 || true; }

begin 'the app is well'
# It starts with the first call; a role that is new takes up to ten minutes to work.
tries=0
until status=$(call GET health) && [ "$status" = 200 ] && ! grep -Eq '"ok": *false' "$scratch/answer"; do
  tries=$((tries + 1))
  if [ "$tries" -ge 20 ]; then
    [ ! -s "$scratch/answer" ] || cat "$scratch/answer" >&2
    fail "the app is not well: GET https://$host/api/health answers ${status:-nothing}, as shown above." \
      'docs/operations.md says what to do, by the code in the answer.'
  fi
  pause 30
done

if [ -z "$export" ]; then
  say 'No export was rehearsed: name one with --export.'
  exit 0
fi

begin "a rehearsal of the export $export succeeds"
status=$(call POST "exports/$export/runs" '{"dry_run": true}')
case "$status" in
  202) ;;
  200) [ "$dry_run" = true ] || fail "the export $export has a run already." 'Try again when that has ended.' ;;
  *)
    cat "$scratch/answer" >&2
    fail "the rehearsal did not start: HTTP $status, as shown above." 'docs/operations.md says what to do, by the code.'
    ;;
esac
run=$(field id)
tries=0
while [ "$dry_run" = false ]; do
  status=$(call GET "exports/$export/runs/$run")
  case "$(field status)" in
    succeeded | completed_with_rejects) break ;;
    failed | cancelled)
      cat "$scratch/answer" >&2
      fail "the rehearsal ended as $(field status), as shown above." 'docs/operations.md says what to do, by the code.'
      ;;
  esac
  tries=$((tries + 1))
  [ "$tries" -lt 120 ] || fail "the rehearsal $run has not ended after twenty minutes; it goes on." \
    "Look at it: GET https://$host/api/exports/$export/runs/$run"
  pause 10
done
[ "$dry_run" = true ] || say 'It succeeds. Nothing was sent.'
