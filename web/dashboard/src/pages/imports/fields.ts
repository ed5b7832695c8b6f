/** What a column can be, as `columns` of `startImport` names it. */
export const FIELDS = [
  'body',
  'rating',
  'occurredAt',
  'externalId',
  'authorName',
  'authorEmail',
  'authorExternalId',
  'tags',
  'language',
  'metadata',
  'source',
] as const;

export type ImportField = (typeof FIELDS)[number];

/** A column, or null where a field is left out: all of them, so that the server guesses nothing. */
export type Columns = Record<ImportField, string | null>;

/** The mapping that the server answers, with one field changed. */
export function changed(mapping: unknown, field: ImportField, column: string | null): Columns {
  const known = mapping as Partial<Columns>;
  const all = Object.fromEntries(FIELDS.map((each) => [each, known[each] ?? null])) as Columns;
  return { ...all, [field]: column };
}

interface Counted {
  rows: number;
  stored: number;
  duplicates: number;
  refused: number;
}

/** What a job of an import tells; undefined before it has read anything. */
export function counted(result: unknown): Counted | undefined {
  const told = result as Partial<Counted> | null;
  return told && typeof told.rows === 'number' ? (told as Counted) : undefined;
}
