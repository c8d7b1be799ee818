// Floor 3: what makes a proto area bootable.

export * from "./accounts.ts";
export * from "./actions.ts";
export * from "./device-links.ts";
export * from "./grub.ts";
export * from "./init.ts";
export * from "./kernel-state.ts";
export * from "./loader.ts";
export * from "./requirements.ts";
export * from "./smf.ts";
