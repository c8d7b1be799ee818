// Whom the names in packages mean: the accounts that the packages bring themselves, else those of the layers below.

import type { Content } from "../bytes/index.ts";
import {
  ACCOUNT_PATHS,
  type AccountFiles,
  type Accounts,
  type Action,
  addAccountActions,
  readAccountFiles,
} from "../illumos/index.ts";
import { file, treeOf } from "../tree/index.ts";

const ANY = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0 };

/**
 * @param contentAt the file that the packages put at a path, if any
 * @param actions `user` and `group` actions count
 * @param beneath the account files of the layers below
 * @throws ImageError as addAccountActions, and what reading the files throws
 */
export async function packageAccounts(
  contentAt: (path: string) => Content | undefined,
  actions: readonly Action[],
  beneath: AccountFiles | undefined,
): Promise<Accounts> {
  const nodes = Object.values(ACCOUNT_PATHS).flatMap((path) => {
    const content = contentAt(path);
    return content ? [[path, file(ANY, content)] as const] : [];
  });
  const own = await readAccountFiles(treeOf(nodes, ANY));
  const files: AccountFiles = {
    passwd: own.passwd || (beneath?.passwd ?? ""),
    group: own.group || (beneath?.group ?? ""),
    shadow: own.shadow || (beneath?.shadow ?? ""),
  };
  return addAccountActions(files, actions).accounts;
}
