import { describe, expect, test } from "vitest";
import { memoryContent, textContent } from "../../src/bytes/index.ts";
import {
  type AccountFiles,
  addAccountActions,
  lookupId,
  parseAccounts,
  parseActions,
  readAccountFiles,
} from "../../src/illumos/index.ts";
import { file, symlink, treeOf } from "../../src/tree/index.ts";

const PASSWD =
  "root:x:0:0:Super-User:/root:/bin/sh\nuucp:x:5:5:uucp Admin:/:\n# comment\n+::0:0:::\n\nnobody:x:60001:60001::/:\n";
const GROUP = "root::0:\nsys::3:root,bin\nuucp::5:root\n";
const files: AccountFiles = { passwd: PASSWD, group: GROUP, shadow: "root:*LK*:::::::\n" };
const place = { file: "SUNWcs.p5m", line: 17 };

describe("etc/passwd and etc/group", () => {
  test("names to numbers; what every image has is known without them", () => {
    const accounts = parseAccounts(files);
    expect([...accounts.users]).toContainEqual(["nobody", 60001]);
    expect(accounts.groups.get("uucp")).toBe(5);
    expect(accounts.users.has("+")).toBe(false);
    expect(parseAccounts({ passwd: "", group: "" }).groups.get("bin")).toBe(2);
  });

  test("the first line of a name counts, as for getpwnam", () => {
    expect(parseAccounts({ passwd: "a:x:7:1\na:x:8:1\n", group: "" }).users.get("a")).toBe(7);
  });

  test("a line without a number", () => {
    expect(() => parseAccounts({ passwd: "a:x:7:1\nb:x::1\n", group: "" })).toThrow(
      /^etc\/passwd:2: "b" has the id ""/,
    );
    expect(() => parseAccounts({ passwd: "", group: "g::4294967295:\n" })).toThrow(/etc\/group:1/);
  });

  test("an unknown name, with the place and the nearest names", () => {
    const { users, groups } = parseAccounts(files);
    expect(lookupId(users, "uucp", "user", place)).toBe(5);
    expect(lookupId(users, "1234", "user", place)).toBe(1234);
    expect(() => lookupId(users, "ucup", "user", place)).toThrow(
      /^SUNWcs\.p5m:17: unknown user "ucup": .*\/etc\/passwd.*; did you mean uucp\?$/,
    );
    expect(() => lookupId(groups, "wheel!", "group", place)).toThrow(/unknown group "wheel!".*\/etc\/group[^(]*$/);
  });

  test("bytes that are no UTF-8 survive; links are followed", async () => {
    const base = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0 };
    const tree = treeOf(
      [
        ["/etc/passwd", symlink(base, "real/passwd")],
        ["/etc/real/passwd", file(base, memoryContent(new Uint8Array([0x61, 0xe4, 0x3a])))],
        ["/etc/group", file(base, textContent(GROUP))],
      ],
      base,
    );
    expect(await readAccountFiles(tree)).toEqual({ passwd: "a\xe4:", group: GROUP, shadow: "" });
  });
});

describe("user and group actions", () => {
  const actions = parseActions(
    `user username=netcfg ftpuser=false gcos-field="Network Configuration Admin" group=netadm uid=17 group-list=sys group-list=uucp
group groupname=netadm gid=65
user username=uucp uid=99 group=root
user username=free group=sys home-dir=/home login-shell=/bin/sh password=NP
group groupname=dynamic`,
    "m",
  );

  test("are added to the files, groups first; what a file has stays", () => {
    const { accounts, files: after, added } = addAccountActions(files, actions);
    expect(added).toEqual(["netadm", "dynamic", "netcfg", "free"]);
    expect(after.passwd).toBe(
      `${PASSWD}netcfg:x:17:65:Network Configuration Admin:/:\nfree:x:100:3:& User:/home:/bin/sh\n`,
    );
    expect(after.group).toBe("root::0:\nsys::3:root,bin,netcfg\nuucp::5:root,netcfg\nnetadm::65:\ndynamic::100:\n");
    expect(after.shadow).toBe("root:*LK*:::::::\nnetcfg:*LK*:::::::\nfree:NP:::::::\n");
    expect(accounts.users.get("uucp")).toBe(5);
    expect(accounts.groups.get("dynamic")).toBe(100);
  });

  test("twice is once", () => {
    const once = addAccountActions(files, actions).files;
    expect(addAccountActions(once, actions)).toMatchObject({ files: once, added: [] });
  });

  test.each([
    ["user username=a group=none uid=1", /^m:1: unknown group "none"/],
    ["user username=a uid=x group=root", /^m:1: "user" has the id "x"/],
    ["group groupname=a gid=-1", /^m:1: /],
  ])("%s", (text, message) => {
    expect(() => addAccountActions(files, parseActions(text, "m"))).toThrow(message);
  });
});
