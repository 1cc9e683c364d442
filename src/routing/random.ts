/** Evenly distributed numbers in [0, 1). Injected, so that a test can repeat what it saw. */
export type Random = () => number;
