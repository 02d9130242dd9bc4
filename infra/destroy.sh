#!/usr/bin/env bash
# Removes a deployment: the resource group, with everything in it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/az.sh
. infra/az.sh

usage() {
  cat <<'TEXT'
usage: infra/destroy.sh --group NAME [--subscription ID] [--dry-run]

Shows what is in the resource group, asks for its name, and deletes it. Segments in another account stay.
TEXT
}

group='' subscription=''
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --group | --subscription)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      case "$1" in --group) group=$2 ;; --subscription) subscription=$2 ;; esac
      shift
      ;;
    --dry-run) dry_run=true ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$group" ] || { usage >&2; exit 2; }

begin 'look what is there'
signed_in
read_or '<everything in the group>' resource list --resource-group "$group" --query '[].[type, name]' --output tsv \
  || fail "the resource group $group cannot be read." 'Nothing was deleted.'

if [ "$dry_run" = false ]; then
  say
  say 'All of this is deleted, with the segments, the exports and what is known of each list. It cannot be taken back,'
  say 'except for the vault: Azure keeps it, and the keys in it, for 90 days, and nobody can end that earlier.'
  printf 'The name of the resource group, to go on: '
  read -r answer || answer=''
  [ "$answer" = "$group" ] || fail 'that is not its name. Nothing was deleted.'
fi

begin "delete $group"
change group delete --name "$group" --yes
[ "$dry_run" = true ] || say "Done: $group is deleted."
