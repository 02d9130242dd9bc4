// Asks again and again while the page is looked at, until it is left. What it gives back has it ask without waiting.

export function follow(look, { every, signal }) {
  const wake = new EventTarget();
  loop(look, every, signal, wake);
  return () => wake.dispatchEvent(new Event("now"));
}

async function loop(look, every, signal, wake) {
  while (!signal.aborted) {
    await pause(every(), signal, wake);
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

const pause = (milliseconds, signal, wake) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const end = () => (clearTimeout(timer), resolve());
    signal.addEventListener("abort", end, { once: true });
    wake.addEventListener("now", end, { once: true });
  });

const seen = (signal) =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener("visibilitychange", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
