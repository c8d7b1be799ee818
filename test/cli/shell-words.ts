// Command lines as a shell takes them apart, so far as the examples of the help and of README need it.

/** The commands of a line, pipes and lists taken apart, redirections and comments left out. */
export function shellCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  const word =
    /\s+|#.*|\|\||&&|[|;]|\d?>{1,2}\s*\S+|<\s*\S+|(?:'[^']*'|"[^"]*"|\\[\s\S]|[^\s'"\\|;<>#&])(?:'[^']*'|"[^"]*"|\\[\s\S]|[^\s'"\\|;<>&])*/g;
  for (const [part] of line.replaceAll(/\\\n\s*/g, " ").matchAll(word)) {
    if (/^(\|\||&&|[|;])$/.test(part)) commands.push([]);
    else if (!/^(\s|#|\d?>|<)/.test(part))
      commands.at(-1)?.push(part.replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/gs, "$1$2$3"));
  }
  return commands.filter(({ length }) => length > 0);
}
