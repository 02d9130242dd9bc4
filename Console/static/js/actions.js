// What can be done with an export, each with its question, its call and its word.

import { announce, complain, toast } from "./announce.js";
import { ask, askKept } from "./api.js";
import { answer, confirm, dialog } from "./dialog.js";
import { h } from "./dom.js";

// Each gives what the server answered, or null where it did not come to that.
export const runNow = (one) => tried(() => begin(one, {}, "The run has begun."));
export const dryRun = (one) => tried(() => begin(one, { dry_run: true }, "The dry run has begun: nothing is sent."));

async function begin(one, how, said) {
  const run = await ask(`/exports/${one.id}/runs`, { method: "POST", body: how });
  announce(`${one.display_name}: ${said}`);
  return run;
}

export async function removeLeavers(one) {
  const text = "The run sends what has changed, and removes everybody who seems to have left the segments, however many they are.";
  if ((await confirm("Run, and remove all who have left?", text, "Run and remove", "danger")) !== "yes") return null;
  return tried(() => begin(one, { confirm_removals: true }, "The run has begun."));
}

export async function cancel(one, run) {
  const text = "What Campaign Monitor has confirmed stays on the list. The next run sends the rest.";
  if ((await confirm("Cancel this run?", text, "Cancel the run", "danger")) !== "yes") return null;
  return tried(async () => {
    const ended = await ask(`/exports/${one.id}/runs/${run.id}`, { method: "DELETE" });
    announce("The run is being cancelled.");
    return ended;
  });
}

export const setEnabled = (one, enabled) =>
  tried(async () => {
    const { document, etag } = await askKept(`/exports/${one.id}`);
    const saved = await ask(`/exports/${one.id}`, {
      method: "PUT",
      body: { ...document, enabled },
      headers: { "If-Match": etag },
    });
    toast(enabled ? `${one.display_name} runs by its schedule again.` : `${one.display_name} is paused: it runs on demand only.`);
    return saved;
  });

export async function remove(one) {
  const text = [
    h("p", {}, "Its configuration goes, and with it what it remembers of the list. Who is on the list stays there."),
  ];
  const chosen = await dialog(`Remove ${one.display_name}?`, text, [answer("Keep", ""), answer("Remove the export", "yes", "danger")]);
  if (chosen !== "yes") return null;
  return tried(async () => {
    await ask(`/exports/${one.id}`, { method: "DELETE" });
    toast(`${one.display_name} is removed.`);
    return one;
  });
}

async function tried(call) {
  try {
    return await call();
  } catch (problem) {
    complain(problem);
    return null;
  }
}
