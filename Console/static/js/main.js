// Begins: which page belongs to which address.

import { frame } from "./frame.js";
import { connectionForm } from "./pages/connection-form.js";
import { connections } from "./pages/connections.js";
import { exportForm } from "./pages/export-form.js";
import { exportPage } from "./pages/export.js";
import { exportsPage } from "./pages/exports.js";
import { nowhere } from "./pages/nowhere.js";
import { runPage } from "./pages/run.js";
import { start } from "./router.js";

frame();
start([
  [/^\/$/, exportsPage],
  [/^\/new-export$/, exportForm],
  [/^\/exports\/(?<id>[a-z0-9-]+)$/, exportPage],
  [/^\/exports\/(?<id>[a-z0-9-]+)\/edit$/, exportForm],
  [/^\/exports\/(?<id>[a-z0-9-]+)\/runs\/(?<run>[0-9A-Za-z-]+)$/, runPage],
  [/^\/connections$/, connections],
  [/^\/new-connection$/, connectionForm],
  [/^\/connections\/(?<id>[a-z0-9-]+)\/edit$/, connectionForm],
  [/^/, nowhere],
]);
