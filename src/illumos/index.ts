// Floor 3: what makes a proto area bootable.

export * from "./actions.ts";
