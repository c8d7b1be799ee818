import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scriptDrivers } from "../../src/source/postinstall.ts";
import { shellCommands } from "../../src/source/shell-words.ts";

const drivers = (script: string) =>
  scriptDrivers(script, "postinstall").actions.map(({ attributes }) => Object.fromEntries(attributes));

describe("shell words", () => {
  const words = (script: string) => shellCommands(script).map((command) => command.words);
  test.each([
    ["a b  c", [["a", "b", "c"]]],
    ["a 'b c' \"d e\" f\\ g ''", [["a", "b c", "d e", "f g", ""]]],
    ["a; b && c | d &", [["a"], ["b"], ["c"], ["d"]]],
    ["a \\\n b", [["a", "b"]]],
    ["# a\na # b\na#b", [["a"], ["a#b"]]],
    ["X='1 2'; a $X \"$X\" \u0024{X}3", [["a", "1", "2", "1 2", "1", "23"]]],
    ["X=; a $X b", [["a", "b"]]],
    ["a $1 $(ls; pwd) `x` \u0024{Y:-z} b", [["a", undefined, undefined, undefined, undefined, "b"]]],
    ["if [ x ]; then a; fi", [["[", "x", "]"], ["a"]]],
    ["cat >f <<EOF\nadd_drv no\nEOF\nb", [["cat", ">", "f"], ["b"]]],
    ["echo x >> /f 2>&1", [["echo", "x", ">>", "/f", "2", ">&", "1"]]],
    ['a "x\\"y\\$z" \'p"q\'', [["a", 'x"y$z', 'p"q']]],
  ])("%j", (script, expected) => expect(words(script)).toEqual(expected));

  test("any text ends, and every command has its line", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."a =$(){}`'\"\\\n;|&<>#-") }), (script) => {
        for (const { line } of shellCommands(script)) expect(line).toBeLessThanOrEqual(script.split("\n").length);
        scriptDrivers(script, "x");
      }),
      { numRuns: 500 },
    );
  });
});

test("variables that double each other do not fill the memory", () => {
  const doubling = Array.from({ length: 60 }, (_, i) => `V${i + 1}=$V${i}$V${i}`).join("\n");
  expect(drivers(`V0=ab\n${doubling}\nadd_drv $V60\nadd_drv ok`)).toEqual([{ name: ["ok"] }]);
});

describe("drivers in scripts", () => {
  test("as Tribblix' packages have them", () => {
    const script = `#!/sbin/sh
#
# Automatically generated driver install script
#
CMD=/usr/sbin/add_drv
if [ "\${BASEDIR}" = "/" ]; then
    BFLAGS=""
else
    BFLAGS="-b \${BASEDIR}"
fi
\${CMD} \${BFLAGS} -m '* 0666 root sys','*,cu 0600 uucp uucp'  -i '"pci8086,100f" "pciclass,0200"' -c scsi e1000g
/usr/sbin/update_drv \${BFLAGS} -a -m 'e1000g 0666 root sys' clone
\${CMD} \${BFLAGS}    ata
echo "ata\\tdada" >> \${BASEDIR}/etc/driver_classes
`;
    expect(drivers(script)).toEqual([
      {
        name: ["e1000g"],
        perms: ["* 0666 root sys", "*,cu 0600 uucp uucp"],
        alias: ["pci8086,100f", "pciclass,0200"],
        class: ["scsi"],
        clone_perms: ["e1000g 0666 root sys"],
      },
      { name: ["ata"], class: ["dada"] },
    ]);
    expect(scriptDrivers(script, "postinstall").actions[0]).toMatchObject({ name: "driver", line: 11 });
    expect(scriptDrivers(script, "postinstall").notUnderstood).toEqual([]);
  });
  test("as older packages have them", () => {
    expect(
      drivers(`
BD=\${BASEDIR:-/}
add_drv -b "\${BASEDIR}" -n -v -f -i '"usb5ac,1001"' -p 'ctl write_priv_set=sys_config' -P sys_net,net_raw foo || exit 1
cd /; /usr/sbin/add_drv -b$PKG_INSTALL_ROOT -m "* 0600 root sys" bar > /dev/null 2>&1
add_drv -b $BD baz
`),
    ).toEqual([
      {
        name: ["foo"],
        alias: ["usb5ac,1001"],
        policy: ["ctl write_priv_set=sys_config"],
        privs: ["sys_net", "net_raw"],
      },
      { name: ["bar"], perms: ["* 0600 root sys"] },
      { name: ["baz"] }, // whatever root $BD names
    ]);
  });
  test("what only running would tell is listed, not guessed", () => {
    const { actions, notUnderstood } = scriptDrivers(
      'for d in a b; do\n  add_drv $d\ndone\nadd_drv -i "`cat aliases`" c\n$TOOL add_drv d\nadd_drv\n# add_drv e\nrem_drv f\n',
      "postinstall",
    );
    expect(actions).toEqual([]);
    expect(notUnderstood.map(({ line }) => line)).toEqual([2, 4, 5, 6]);
  });
});
