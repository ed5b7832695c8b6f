import type { Values } from '../../ui/Form';

/** Who is meant: by an address or by the id that the source has for them. */
export type Author = { email: string } | { externalId: string };

export function authorIn(values: Values): Author {
  const identifier = values.text('identifier').trim();
  return values.text('by') === 'externalId' ? { externalId: identifier } : { email: identifier };
}

export const named = (author: Author) => ('email' in author ? author.email : author.externalId);
