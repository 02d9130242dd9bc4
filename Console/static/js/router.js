// Addresses below /console/, without loading the page anew.

const ROOT = "/console";
let routes = [];
let leave = null;

export function start(table) {
  routes = table;
  addEventListener("popstate", () => show());
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain || event.defaultPrevented || link.hasAttribute("download") || link.target) return;
    const to = new URL(link.href);
    const inside = to.origin === location.origin && to.pathname.startsWith(`${ROOT}/`) && !to.pathname.startsWith(`${ROOT}/api/`);
    if (!inside || (to.hash && to.pathname === location.pathname)) return;
    event.preventDefault();
    go(to.pathname + to.search);
  });
  show({ first: true });
}

export function go(path) {
  history.pushState(null, "", path);
  show();
}

function show({ first = false } = {}) {
  leave?.abort();
  leave = new AbortController();
  const path = location.pathname.slice(ROOT.length) || "/";
  for (const [pattern, page] of routes) {
    const found = pattern.exec(path);
    if (found) {
      page({ ...found.groups }, { signal: leave.signal, first });
      return;
    }
  }
}
