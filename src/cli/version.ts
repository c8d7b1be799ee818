// The version of the package, and of Node that it needs.

export { LEAST_NODE, VERSION } from "../node/package-versions.ts";
