// The encoding of names in mtree(5) files, vis(3): bytes as \ooo, and the C escapes that other writers use.

/** Bytes that stand for themselves: what neither mtree(5), glob patterns nor a terminal give a meaning. */
const PLAIN = /^[A-Za-z0-9._/,:;@%+=~^&!|<>(){}'"$`-]+$/;

/** Every byte outside of a safe set of ASCII as \ooo: blanks, "#", "\", "*", "?", "[", control characters, above 0x7e. */
export function visEncode(name: string): string {
  if (PLAIN.test(name)) return name;
  let encoded = "";
  for (const character of name) {
    encoded += PLAIN.test(character) ? character : `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  }
  return encoded;
}

const C_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  s: " ",
  t: "\t",
  v: "\v",
  E: "\x1b",
};

/** \ooo (one to three digits), C escapes, \^C, \M-C and \M^C; of any other pair the second character. */
export function visDecode(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:([0-7]{1,3})|M-(.)|M\^(.)|\^(.)|(.)|$)/gs,
    (_, octal?: string, meta?: string, metaControl?: string, control?: string, other?: string) => {
      const toControl = (character: string): number => (character === "?" ? 0x7f : character.charCodeAt(0) & 0x1f);
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      if (meta !== undefined) return String.fromCharCode((meta.charCodeAt(0) & 0xff) | 0x80);
      if (metaControl !== undefined) return String.fromCharCode(toControl(metaControl) | 0x80);
      if (control !== undefined) return String.fromCharCode(toControl(control));
      return other === undefined ? "\\" : (C_ESCAPES[other] ?? other);
    },
  );
}
