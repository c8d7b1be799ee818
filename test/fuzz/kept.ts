// Cases that failed once: a sample of the corpus, and the seed of its damage. They are tried in every run.

export const KEPT: readonly (readonly [sample: string, seed: number])[] = [];
