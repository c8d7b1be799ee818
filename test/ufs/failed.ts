// Mutations that once made a reader or the check fail.

import type { Mutation } from "./mutations.ts";

export const FAILED: readonly (readonly Mutation[])[] = [];
