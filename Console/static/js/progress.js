// How far a run is: batches, rate and time left, from what was seen of it so far.

import { h, put } from "./dom.js";
import { duration, number, plural } from "./format.js";
import { word } from "./status.js";

const WINDOW = 15_000; // milliseconds that a rate is taken over

export class Progress {
  constructor(label) {
    this.seen = [];
    this.fill = h("div");
    this.track = h("div", { class: "track", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, this.fill);
    this.said = h("div", { class: "said" });
    this.element = h("div", { class: "progress" }, this.track, this.said);
  }

  show(run) {
    const { counts, progress } = run;
    const answered = counts.added + counts.updated + counts.refused;
    const rate = this.rate(answered);
    const known = progress.batches > 0;
    const share = known ? progress.done / progress.batches : 0;
    this.track.classList.toggle("unknown", !known);
    this.fill.style.setProperty("--done", share);
    if (known) this.track.setAttribute("aria-valuenow", Math.round(share * 100));
    else this.track.removeAttribute("aria-valuenow");
    const said = [word(run.status)];
    if (known) said.push(`${number(progress.done)} of ${plural(progress.batches, "batch", "batches")}`);
    if (known && rate > 0) {
      said.push(`${number(Math.round(rate))} a second`);
      if (counts.unsent > 0) said.push(`${duration(Math.ceil(counts.unsent / rate))} left`);
    }
    put(this.said, said.map((text) => h("span", {}, text)));
    this.track.setAttribute("aria-valuetext", said.join(", "));
    return said.join(", ");
  }

  rate(answered) {
    const now = performance.now();
    this.seen.push([now, answered]);
    while (this.seen.length > 2 && now - this.seen[0][0] > WINDOW) this.seen.shift();
    const [since, before] = this.seen[0];
    return now - since > 500 ? ((answered - before) / (now - since)) * 1000 : 0;
  }
}
