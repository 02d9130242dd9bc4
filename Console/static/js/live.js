// Asks again and again while the page is looked at, until it is left.

export async function follow(look, { every, signal }) {
  while (!signal.aborted) {
    await pause(every(), signal);
    await seen(signal);
    if (signal.aborted) return;
    try {
      await look();
    } catch (error) {
      if (error.name === "AbortError") return;
      // What is shown stays: the next look may have better luck.
    }
  }
}

const pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

const seen = (signal) =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener("visibilitychange", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
