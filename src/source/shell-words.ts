// The plain commands of a shell script: simple commands whose words are literal text and variables set in the script.
// Nothing is run. What cannot be known without running (substitutions, positional parameters, loop variables) makes a
// word `undefined`. Grammar: POSIX.1-2017 Shell Command Language 2.2 to 2.9, as far as words go.

export interface ShellCommand {
  /** 1 is the first. */
  readonly line: number;
  /** The source text, on one line, for messages. */
  readonly text: string;
  /** The words after quote removal and splitting; undefined where a word cannot be known. */
  readonly words: readonly (string | undefined)[];
}

/** A piece of a word: text, a variable, or something that only running would tell. */
type Piece =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean }
  | { readonly kind: "unknown" };

interface RawCommand {
  readonly line: number;
  readonly from: number;
  to: number;
  readonly words: Piece[][];
}

/** What runs a package's scripts sets these; the image is the root. */
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["BASEDIR", "/"],
  ["CLIENT_BASEDIR", "/"],
  ["PKG_INSTALL_ROOT", "/"],
  ["INSTALL_ROOT", "/"],
  ["ROOTDIR", "/"],
];

/** Longer values come of variables that double each other; no driver is added by such. */
const MAX_VALUE_LENGTH = 1 << 16;

const RESERVED = new Set(["if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}"]);

/** The commands of a script, in the order they are written, whatever conditions they stand under. */
export function shellCommands(script: string): ShellCommand[] {
  const variables = new Map<string, ReadonlySet<string>>(ENVIRONMENT.map(([name, value]) => [name, new Set([value])]));
  const commands: ShellCommand[] = [];
  for (const { line, from, to, words } of splitCommands(script)) {
    const rest = [...words];
    while (rest[0] && isReserved(rest[0])) rest.shift();
    const assignments: [string, string | undefined][] = [];
    for (let first = rest[0]; first; first = rest[0]) {
      const assignment = asAssignment(first, variables);
      if (assignment === undefined) break;
      assignments.push(assignment);
      rest.shift();
    }
    if (rest.length === 0) {
      for (const [name, value] of assignments) assign(variables, name, value);
    } else {
      const text = script
        .slice(from, to)
        .replace(/\\\n|\s+/g, " ")
        .trim();
      commands.push({ line, text, words: rest.flatMap((word) => expandWord(word, variables)) });
    }
  }
  return commands;
}

function assign(variables: Map<string, ReadonlySet<string>>, name: string, value: string | undefined): void {
  if (value === undefined)
    variables.set(name, new Set()); // known to be unknown
  else variables.set(name, new Set([...(variables.get(name) ?? []), value]));
}

function isReserved(word: Piece[]): boolean {
  const [only, ...others] = word;
  return only?.kind === "text" && !only.quoted && others.length === 0 && RESERVED.has(only.text);
}

function asAssignment(
  word: Piece[],
  variables: ReadonlyMap<string, ReadonlySet<string>>,
): [string, string | undefined] | undefined {
  const [first, ...others] = word;
  if (first?.kind !== "text" || first.quoted) return undefined;
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(first.text);
  if (!match) return undefined;
  const value = [{ ...first, text: match[2] ?? "" }, ...others].map((piece) => known(piece, variables));
  const length = value.reduce((sum, piece) => sum + (piece?.length ?? 0), 0);
  return [match[1] ?? "", value.includes(undefined) || length > MAX_VALUE_LENGTH ? undefined : value.join("")];
}

/**
 * What a piece says. A variable that was given several values (in the branches of an `if`) is known only when they differ
 * in nothing but -b, the option that names another root: there is only one root here.
 */
function known(piece: Piece, variables: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  if (piece.kind === "text") return piece.text;
  if (piece.kind === "unknown") return undefined;
  const values = new Set([...(variables.get(piece.name) ?? [])].map((value) => value.replace(/^-b +\S+$/, "")));
  const [only] = values;
  return values.size === 1 ? only : undefined;
}

/** Unquoted variables are split at blanks, and vanish when empty. */
function expandWord(word: Piece[], variables: ReadonlyMap<string, ReadonlySet<string>>): (string | undefined)[] {
  const fields: string[] = [];
  let field: string | undefined;
  for (const piece of word) {
    const value = known(piece, variables);
    if (value === undefined || (field?.length ?? 0) > MAX_VALUE_LENGTH) return [undefined];
    if (piece.kind === "variable" && !piece.quoted) {
      const [head = "", ...tail] = value.split(/[ \t\n]+/);
      if (value !== "") field = (field ?? "") + head;
      for (const next of tail) {
        if (field !== undefined && field !== "") fields.push(field);
        field = next;
      }
      if (field === "") field = undefined;
    } else if (value !== "" || (piece.kind === "text" && piece.quoted) || field !== undefined) {
      field = (field ?? "") + value;
    }
  }
  return field === undefined ? fields : [...fields, field];
}

/** Commands as lists of words, words as lists of pieces. Always ends: every turn takes at least one character. */
function splitCommands(script: string): RawCommand[] {
  const commands: RawCommand[] = [];
  const hereDocuments: string[] = [];
  let line = 1;
  let at = 0;
  let command: RawCommand | undefined;
  let word: Piece[] | undefined;

  const endWord = (): void => {
    if (word === undefined) return;
    command ??= { line, from: at, to: at, words: [] };
    command.words.push(word);
    word = undefined;
  };
  const endCommand = (): void => {
    endWord();
    if (command) {
      command.to = at;
      commands.push(command);
    }
    command = undefined;
  };
  const add = (piece: Piece): void => {
    command ??= { line, from: at, to: at, words: [] };
    word ??= [];
    const last = word.at(-1);
    if (piece.kind === "text" && last?.kind === "text" && last.quoted === piece.quoted) {
      word[word.length - 1] = { ...piece, text: last.text + piece.text };
    } else word.push(piece);
  };
  const countLines = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (script[i] === "\n") line++;
  };
  /** `$…` at `at`; returns where it ends. */
  const dollar = (quoted: boolean): number => {
    const match = /^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/.exec(script.slice(at, at + 100));
    if (match) {
      add({ kind: "variable", name: match[1] ?? match[2] ?? "", quoted });
      return at + match[0].length;
    }
    const opening = script[at + 1] ?? "";
    if (/[0-9@*#?$!-]/.test(opening)) {
      add({ kind: "unknown" }); // positional and special parameters
      return at + 2;
    }
    if (opening !== "(" && opening !== "{") {
      add({ kind: "text", text: "$", quoted });
      return at + 1;
    }
    add({ kind: "unknown" });
    const closing = opening === "(" ? ")" : "}";
    let depth = 0;
    for (let i = at + 1; i < script.length; i++) {
      if (script[i] === opening) depth++;
      else if (script[i] === closing && --depth === 0) return i + 1;
    }
    return script.length;
  };

  while (at < script.length) {
    const character = script[at] ?? "";
    const start = at;
    if (character === "\\") {
      if (script[at + 1] !== "\n") add({ kind: "text", text: script[at + 1] ?? "", quoted: true });
      at += 2;
    } else if (character === "'") {
      const end = script.indexOf("'", at + 1);
      add({ kind: "text", text: script.slice(at + 1, end === -1 ? script.length : end), quoted: true });
      at = end === -1 ? script.length : end + 1;
    } else if (character === '"') {
      add({ kind: "text", text: "", quoted: true });
      at++;
      while (at < script.length && script[at] !== '"') {
        const inner = script[at] ?? "";
        if (inner === "\\" && /[$`"\\\n]/.test(script[at + 1] ?? "")) {
          if (script[at + 1] !== "\n") add({ kind: "text", text: script[at + 1] ?? "", quoted: true });
          at += 2;
        } else if (inner === "$") at = dollar(true);
        else if (inner === "`") {
          add({ kind: "unknown" });
          const end = script.indexOf("`", at + 1);
          at = end === -1 ? script.length : end + 1;
        } else {
          add({ kind: "text", text: inner, quoted: true });
          at++;
        }
      }
      at++;
    } else if (character === "`") {
      add({ kind: "unknown" });
      const end = script.indexOf("`", at + 1);
      at = end === -1 ? script.length : end + 1;
    } else if (character === "$") at = dollar(false);
    else if (character === "#" && word === undefined) {
      const end = script.indexOf("\n", at);
      at = end === -1 ? script.length : end;
    } else if (character === "<" && script[at + 1] === "<") {
      const match = /^<<-?[ \t]*['"\\]?([A-Za-z0-9_!.]+)['"]?/.exec(script.slice(at, at + 100));
      if (match?.[1]) hereDocuments.push(match[1]);
      endWord();
      at += match ? match[0].length : 2;
    } else if (character === "\n") {
      endCommand();
      at++;
      for (const delimiter of hereDocuments.splice(0)) at = endOfHereDocument(script, at, delimiter);
    } else if (/[;&|()]/.test(character)) {
      endCommand();
      at++;
    } else if (/[<>]/.test(character)) {
      // A redirection: kept as a word of its own, so that "echo x >> file" can be told from "echo x".
      endWord();
      const length = script[at + 1] === ">" || script[at + 1] === "&" ? 2 : 1;
      add({ kind: "text", text: script.slice(at, at + length), quoted: false });
      endWord();
      at += length;
    } else if (/\s/.test(character)) {
      endWord();
      at++;
    } else {
      add({ kind: "text", text: character, quoted: false });
      at++;
    }
    countLines(start, at);
  }
  endCommand();
  return commands;
}

function endOfHereDocument(script: string, from: number, delimiter: string): number {
  for (let at = from; at < script.length; ) {
    const end = script.indexOf("\n", at);
    const next = end === -1 ? script.length : end + 1;
    if (script.slice(at, end === -1 ? script.length : end).replace(/^\t+/, "") === delimiter) return next;
    at = next;
  }
  return script.length;
}
