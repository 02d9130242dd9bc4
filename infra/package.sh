#!/usr/bin/env bash
# Makes the package that is deployed: a zip of exactly what runs, as it is committed. Azure installs requirements.txt.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: infra/package.sh [--list] [FILE.zip]

  FILE.zip   where to write the package (default: dist/app.zip)
  --list     print the files that go into it, and write nothing
TEXT
}

list_only=false
file=dist/app.zip
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --list) list_only=true ;;
    -*) usage >&2; exit 2 ;;
    *) file=$1 ;;
  esac
  shift
done

root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel) || {
  echo "infra/package.sh: this is not a clone of the repository: the package is made of what is committed." >&2
  exit 1
}

# A folder with function.json is a function; all of them use shared.
parts=(host.json requirements.txt shared)
while IFS= read -r function; do
  parts+=("${function%/function.json}")
done < <(git -C "$root" ls-tree -r --name-only HEAD | grep -E '^[^/]+/function\.json$')

if [ "$list_only" = true ]; then
  git -C "$root" ls-tree -r --name-only HEAD -- "${parts[@]}"
  exit 0
fi

if [ -n "$(git -C "$root" status --porcelain -- "${parts[@]}")" ]; then
  echo "infra/package.sh: there are changes that are not committed; the package is made without them." >&2
fi
mkdir -p "$(dirname "$file")"
git -C "$root" archive --format=zip HEAD -- "${parts[@]}" >"$file"
echo "$file: commit $(git -C "$root" rev-parse --short HEAD), $(git -C "$root" ls-tree -r --name-only HEAD -- "${parts[@]}" | wc -l | tr -d ' ') files"
