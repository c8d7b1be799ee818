// The version of the package.

export { VERSION } from "../node/package-versions.ts";
