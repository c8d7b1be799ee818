import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/index.ts";
import {
  type Action,
  DRIVER_STATE_FILES,
  type DriverStateTexts,
  driverFiles,
  MAX_MAJOR,
  parseActions,
} from "../../src/illumos/index.ts";

interface Case {
  readonly before: DriverStateTexts;
  readonly actions: Record<string, string[]>[];
  readonly after: DriverStateTexts;
}
const golden: { cases: Case[] } = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, "../../fixtures/illumos/add-drv.json"), "utf8"),
);

const drivers = (text: string): Action[] => parseActions(text, "d.p5m");
const PROTO: DriverStateTexts = {
  name_to_major: "md 85\ndevinfo 88\nasy 106\ndid 239\n",
  driver_aliases: 'asy "pci11c1,480"\n',
  minor_perm:
    "devinfo:devinfo 0640 root sys\ndevinfo:devinfo,ro 0444 root sys\nasy:* 0666 root sys\nasy:*,cu 0600 uucp uucp\n",
  driver_classes: "# classes\n",
  device_policy: "#\n*\t\tread_priv_set=none\t\twrite_priv_set=none\nmd:admin\t\t\t\t\twrite_priv_set=sys_config\n",
  extra_privs: "# privs\n",
  "devlink.tab": "type=ddi_pseudo;name=x\tx\n",
};

describe("add_drv and update_drv", () => {
  test.each(golden.cases.map((one, i) => [i, one] as const))(
    "wrote the same files: case %i",
    (_, { before, actions, after }) => {
      const given = actions.map(
        (attributes, line): Action => ({
          name: "driver",
          attributes: new Map(Object.entries(attributes)),
          file: "golden",
          line,
        }),
      );
      const { files } = driverFiles(before, given);
      for (const name of DRIVER_STATE_FILES) expect([name, files[name]]).toEqual([name, after[name]]);
      // Installing is not sensitive to the order of manifests.
      expect(driverFiles(before, [...given].reverse()).files).toEqual(files);
    },
  );

  test("a gate's proto area", () => {
    const { files, report } = driverFiles(
      PROTO,
      drivers(`
driver name=zfs perms="* 0640 root sys" perms="zfs 0666 root sys" policy="zfs read_priv_set=none write_priv_set=none"
driver name=asy alias=pci11c1,480 alias=pnpPNP,500 perms="* 0666 root sys" perms="*,cu 0600 uucp uucp" clone_perms="0666 root sys"
driver name=devinfo perms="devinfo 0640 root sys" perms="devinfo,ro 0444 root sys"
driver name=clone
driver name=ata class=dada class=scsi alias=pciclass,0101 alias=pci-ide privs=ata_a,ata_b
driver name=ip policy="read_priv_set=net_rawaccess write_priv_set=net_rawaccess" devlink=type=ddi_pseudo;name=ip\\tip devlink=type=ddi_pseudo;name=x\\tx
driver name=cn clone_perms="ip 0644 root tty" clone_perms="ip 0600 root tty" devlink=type=x\\tt4nex\\M2
`),
    );
    expect(files).toEqual({
      name_to_major: "md 85\ndevinfo 88\nasy 106\ndid 239\nclone 1\nata 2\ncn 3\nip 4\nzfs 5\n",
      driver_aliases: 'asy "pci11c1,480"\nasy "pnpPNP,500"\nata "pciclass,0101"\nata "pci-ide"\n',
      minor_perm:
        `${PROTO.minor_perm}clone:asy 0666 root sys\nclone:ip 0600 root tty\n` +
        "zfs:* 0640 root sys\nzfs:zfs 0666 root sys\n",
      driver_classes: "# classes\nata\tdada\nata\tscsi\n",
      device_policy:
        `${PROTO.device_policy}ip:*\tread_priv_set=net_rawaccess\twrite_priv_set=net_rawaccess\n` +
        "zfs:zfs\tread_priv_set=none\twrite_priv_set=none\n",
      extra_privs: "# privs\nata:ata_a\nata:ata_b\n",
      "devlink.tab": "type=ddi_pseudo;name=x\tx\ntype=x\tt4nex\\M2\ntype=ddi_pseudo;name=ip\tip\n",
    });
    expect(report).toMatchObject({
      added: ["clone", "ata", "cn", "ip", "zfs"],
      updated: ["asy", "devinfo"],
      majors: 9,
      aliases: 4,
    });
    expect(report.clashes).toEqual([]);
  });

  test("files that are not there are begun; those without a last newline keep their last line", () => {
    const { files } = driverFiles({ name_to_major: "a 1" }, drivers("driver name=b alias=x class=c"));
    expect(files).toEqual({ name_to_major: "a 1\nb 2\n", driver_aliases: 'b "x"\n', driver_classes: "b\tc\n" });
  });

  test("the number of a removed driver is kept for it", () => {
    const { files } = driverFiles(
      { name_to_major: "a 1\n", rem_name_to_major: "# gone\nc 7\nd 2\n" },
      drivers("driver name=b\ndriver name=c"),
    );
    expect(files.name_to_major).toBe("a 1\nb 3\nc 7\n");
    expect(files.rem_name_to_major).toBe("# gone\nd 2\n");
  });
});

describe("clashes", () => {
  test("an alias that another driver has: the first by name keeps it", () => {
    const { files, report } = driverFiles({}, drivers("driver name=b alias=x alias=y\ndriver name=a alias=x"));
    expect(files.driver_aliases).toBe('a "x"\nb "y"\n');
    expect(report.clashes).toMatchObject([
      {
        kind: "alias",
        driver: "b",
        other: "a",
        value: "x",
        file: "d.p5m",
        line: 1,
        message: expect.stringContaining("keeps the first"),
      },
    ]);
  });

  test("an alias that is the name of a driver, listed or to come", () => {
    const { files, report } = driverFiles(
      { name_to_major: "old 9\n" },
      drivers("driver name=a alias=zz alias=old alias=a\ndriver name=zz"),
    );
    expect(files.driver_aliases).toBe('a "a"\n');
    expect(report.clashes.map(({ kind, value }) => [kind, value])).toEqual([
      ["name", "zz"],
      ["name", "old"],
    ]);
  });

  test("an alias of a driver that no package delivers becomes a comment", () => {
    const { files, report } = driverFiles(
      { name_to_major: "old 9\n", driver_aliases: '# head\nold "x"\nold "y"\n' },
      drivers("driver name=a alias=x"),
    );
    expect(files.driver_aliases).toBe('# head\n# pkg(7): old "x"\nold "y"\na "x"\n');
    expect(report.clashes).toMatchObject([{ kind: "alias", driver: "a", other: "old" }]);
  });

  test("two actions for one driver", () => {
    const { files, report } = driverFiles({}, drivers("driver name=a alias=x\ndriver name=a alias=y"));
    expect(files).toMatchObject({ name_to_major: "a 1\n", driver_aliases: 'a "x"\na "y"\n' });
    expect(report.clashes).toMatchObject([{ kind: "driver", driver: "a", line: 2 }]);
  });
});

describe("what add_drv would refuse", () => {
  test.each([
    ['driver name=a perms="* 0666 root"', /not of the form "minor mode owner group"/],
    ['driver name=a perms="* 0666 root sys more"', /not of the form/],
    ['driver name=a perms="* 9999 root sys"', /the mode is not in/],
    ['driver name=a clone_perms="root sys"', /not of the form/],
    ['driver name=a alias="two words"', /cannot be an alias/],
    ['driver name=a alias=""', /cannot be an alias/],
    ["driver name=a alias=x#y", /cannot be an alias/],
    ["driver name=drv/a", /cannot be the name of a driver/],
    ['driver name=""', /cannot be the name of a driver/],
    ['driver name=a policy="admin"', /names no privileges/],
    ['driver name=a policy="x:admin read_priv_set=none"', /is no minor name/],
    ['driver name=a policy="*a* read_priv_set=none"', /is no minor name/],
    ['driver name=a policy="(1-) read_priv_set=none"', /is no minor name/],
    ['driver name=a policy="open_priv_set=none"', /neither read_priv_set= nor/],
  ])("%s", (text, message) => {
    const install = () => driverFiles({}, drivers(`\n${text}`));
    expect(install).toThrow(message);
    expect(install).toThrow(/^d\.p5m:2: /);
  });

  test("a line of name_to_major that is none, and numbers that run out", () => {
    expect(() => driverFiles({ name_to_major: "a 1\nb\n" }, [])).toThrow(/etc\/name_to_major:2: "b" is no driver/);
    expect(() => driverFiles({ name_to_major: `b ${MAX_MAJOR + 1}\n` }, [])).toThrow(ImageError);
    const full = Array.from({ length: MAX_MAJOR }, (_, i) => `d${i} ${i + 1}\n`).join("");
    expect(() => driverFiles({ name_to_major: full }, drivers("driver name=a"))).toThrow(
      expect.objectContaining({ code: "limit" }),
    );
  });
});

test("majors are one to one and in 1..16383, whatever the files hold", () => {
  const name = fc.stringMatching(/^[a-z]{1,3}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, fc.integer({ min: 0, max: 30 })), {
        selector: ([, major]) => major,
        maxLength: 12,
      }),
      fc.uniqueArray(name, { maxLength: 20 }),
      (listed, wanted) => {
        const unique = new Map(listed);
        const before = [...unique].map(([driver, major]) => `${driver} ${major}\n`).join("");
        const { files } = driverFiles(
          { name_to_major: before },
          drivers(wanted.map((driver) => `driver name=${driver}`).join("\n")),
        );
        const after = (files.name_to_major ?? "")
          .split("\n")
          .filter(Boolean)
          .map((line) => line.split(" "));
        expect(new Set(after.map(([driver]) => driver))).toEqual(new Set([...unique.keys(), ...wanted]));
        expect(new Set(after.map(([, major]) => major)).size).toBe(after.length);
        for (const [driver = "", major] of after) {
          if (!unique.has(driver)) expect(Number(major)).toBeGreaterThan(0);
        }
      },
    ),
  );
});
