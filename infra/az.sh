# Read by the other scripts: how they call az, tell what they do, and say what is done and what is not when they stop.
# shellcheck shell=bash

script=infra/$(basename "$0")
dry_run=false
doing='starting'
finished=''

say() { printf '%s\n' "$*"; }

# What happened, then line by line what to do.
fail() {
  printf '%s: %s\n' "$script" "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

begin() {
  [ "$doing" = 'starting' ] || finished="$finished$doing; "
  doing=$1
  say "== $doing"
}

# Whatever ends a script early, it says how far it came.
tell_how_far() {
  local code=$?
  if [ "$code" -ne 0 ] && [ "$doing" != 'starting' ]; then
    printf '%s: stopped at: %s.\n' "$script" "$doing" >&2
    printf '  Done before: %s\n' "${finished:-nothing}" >&2
    printf '  Every step may be done again: mend what is named above, then run the same command.\n' >&2
  fi
  if [ -n "${scratch:-}" ]; then rm -rf "$scratch"; fi
}
trap tell_how_far EXIT

# A call that changes something: printed instead with --dry-run.
change() {
  if [ "$dry_run" = true ]; then
    print_call az "$@"
  else
    az "$@"
  fi
}

# A call that reads: with --dry-run it is printed, and its answer is the first argument.
read_or() {
  local instead=$1
  shift
  if [ "$dry_run" = true ]; then
    print_call az "$@" >&2
    [ -z "$instead" ] || printf '%s\n' "$instead"
  else
    az "$@"
  fi
}

# As it could be typed.
print_call() {
  printf '+'
  for word in "$@"; do
    case "$word" in
      *[!A-Za-z0-9_./:=@,%-]* | '') printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
}

need() {
  command -v "$1" >/dev/null 2>&1 || fail "the command $1 is not there." "$2"
}

# Who is signed in, and where: az answers without asking Azure.
signed_in() {
  if [ "$dry_run" = true ]; then
    print_call az account show --query id --output tsv
    return
  fi
  need az 'Install the Azure CLI, 2.83 or newer: docs/deploy.md says which tools are needed.'
  local current
  current=$(az account show --query id --output tsv 2>/dev/null) \
    || fail 'you are not signed in to Azure.' 'Sign in: az login'
  if [ -n "${subscription:-}" ] && [ "$subscription" != "$current" ]; then
    fail "az works in the subscription $current, not in $subscription." \
      "Change to it: az account set --subscription $subscription"
  fi
  say "Subscription $current"
}

# GROUP NAME...: what the last deployment of the templates gave, a line for each name.
outputs() {
  local group=$1 names='' instead=''
  shift
  for name in "$@"; do
    names="$names${names:+, }$name.value"
    instead="$instead${instead:+$'\n'}<$name>"
  done
  read_or "$instead" deployment group show --resource-group "$group" --name segments \
    --query "properties.outputs.[$names]" --output tsv
}

# Seconds between two looks; tests do not wait.
pause() { sleep "${PAUSE_SECONDS:-$1}"; }
