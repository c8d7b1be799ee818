// How work that takes a while says how far it is.

/**
 * Called as often as convenient; whoever listens looks at the clock first.
 * @param stage what is done at the moment, as people are told it: "compressing the ramdisk"
 * @param knownBytes how many bytes there are to do; left out where nobody knows
 * @param donePaths where names are looked at rather than contents: how many so far
 */
export type ReportProgress = (stage: string, doneBytes: number, knownBytes?: number, donePaths?: number) => void;
