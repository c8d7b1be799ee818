// What the kernel state files say of one driver, in the words of a driver action, so that the two can be compared.
// Source: pkg5 src/modules/actions/driver.py (__get_image_data, __gen_read_binding_file).

export interface DriverData {
  readonly aliases: readonly string[];
  readonly classes: readonly string[];
  /** "minor mode owner group" */
  readonly perms: readonly string[];
  /** The same, of the clone driver's minor that bears this driver's name. */
  readonly clonePerms: readonly string[];
  /** "minor token token" */
  readonly policies: readonly string[];
  readonly privs: readonly string[];
}

export interface StateLines {
  readonly driver_aliases: readonly string[];
  readonly driver_classes: readonly string[];
  readonly minor_perm: readonly string[];
  readonly device_policy: readonly string[];
  readonly extra_privs: readonly string[];
}

/** The words of a line up to one that begins with "#", without quotes around them. */
export function bindingFields(line: string): string[] {
  const fields: string[] = [];
  for (const word of line.split(/\s+/).filter(Boolean)) {
    if (word.startsWith("#")) break;
    fields.push(word.replace(/^"+|"+$/g, ""));
  }
  return fields;
}

export function driverData(lines: StateLines, name: string): DriverData {
  const pairs = (of: readonly string[]): string[] =>
    of.flatMap((line) => {
      const [driver, value, ...more] = bindingFields(line);
      return driver === name && value !== undefined && more.length === 0 ? [value] : [];
    });
  const perms: string[] = [];
  const clonePerms: string[] = [];
  for (const line of lines.minor_perm) {
    const [node = "", ...permission] = bindingFields(line);
    const [driver, minor, ...more] = node.split(":");
    if (permission.length !== 3 || minor === undefined || more.length > 0) continue;
    if (driver === name && name !== "clone") perms.push([minor, ...permission].join(" "));
    else if (driver === "clone" && minor === name) clonePerms.push([minor, ...permission].join(" "));
  }
  return {
    aliases: pairs(lines.driver_aliases),
    classes: pairs(lines.driver_classes),
    perms,
    clonePerms,
    policies: lines.device_policy.flatMap((line) => {
      const [node = "", ...tokens] = line.trim().startsWith("#") ? [] : line.split(/\s+/).filter(Boolean);
      const colon = node.indexOf(":");
      const [driver, minor] = colon === -1 ? [node, "*"] : [node.slice(0, colon), node.slice(colon + 1)];
      return driver === name && tokens.length > 0 ? [[minor, ...tokens].join(" ")] : [];
    }),
    privs: lines.extra_privs.flatMap((line) => {
      const colon = line.indexOf(":");
      const isOurs = !line.trim().startsWith("#") && colon !== -1 && line.slice(0, colon).trim() === name;
      return isOurs ? [line.slice(colon + 1).trim()] : [];
    }),
  };
}
