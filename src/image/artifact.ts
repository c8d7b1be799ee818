// What went into a build or came out of it, by size and digest.

/** `dirHash` of directories, else `sha256` (of the ramdisk as it is in memory: `sha1`), lower-case hex. */
export type Digest = Readonly<Partial<Record<"sha256" | "sha1" | "dirHash", string>>>;

export interface Artifact {
  readonly name: string;
  /** What it is to the build: "source", "overlay", "stage2", "iso" … */
  readonly role: string;
  /** Of a directory: of the files in it, each once. */
  readonly sizeBytes: number;
  /** Of a directory: how many. */
  readonly files?: number | undefined;
  readonly digest: Digest;
}
