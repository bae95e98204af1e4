/** When a server that ended by itself is started again. */

const FIRST = 1_000;
const LONGEST = 5 * 60_000;
const STEADY = 60_000;

/** Counts failures in a row; a run of a minute or more forgives those before it. */
export class Backoff {
  #failures = 0;

  /** The server ended after so many milliseconds: how long to wait, and how often it has failed now. */
  failed(ranFor: number): { readonly delay: number; readonly failures: number } {
    this.#failures = ranFor >= STEADY ? 1 : this.#failures + 1;
    return { delay: Math.min(LONGEST, FIRST * 2 ** (this.#failures - 1)), failures: this.#failures };
  }

  reset(): void {
    this.#failures = 0;
  }
}
