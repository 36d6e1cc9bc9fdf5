/** The finding denied ("no pleural effusion"), or, of a denial, what it denies. */
export function negate(phrase: string): string {
  const text = phrase.trim();
  const denied = /^(?:no|without)\s+(?=\S)/i.exec(text);
  if (denied) return text.slice(denied[0].length);
  const [first = '', second = ''] = text;
  // "CHF" stays as it is.
  const begins = second === second.toLowerCase() ? first.toLowerCase() + text.slice(1) : text;
  return `no ${begins}`;
}
