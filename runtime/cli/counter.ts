/** A count that grows on stderr: one live line on a terminal, a line every ten seconds elsewhere. */
export interface Counter {
  show(text: string): void;
  done(): void;
}

const LIVE_EVERY = 100;
const LINE_EVERY = 10_000;

export function createCounter(output: NodeJS.WriteStream = process.stderr): Counter {
  let last = Date.now();
  let live = false;
  return {
    show(text) {
      const now = Date.now();
      if (now - last < (output.isTTY ? LIVE_EVERY : LINE_EVERY)) return;
      last = now;
      live = output.isTTY;
      output.write(live ? `\r\u001b[2K${text.slice(0, (output.columns ?? 80) - 1)}` : `${text}\n`);
    },
    done() {
      if (live) output.write('\r\u001b[2K');
      live = false;
    },
  };
}
