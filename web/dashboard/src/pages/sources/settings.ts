/** What is set of a GENERIC webhook, in `Source.settings`. */
export interface Generic {
  mapping: Partial<Record<string, string>>;
  scheme: string;
  header: string;
  algorithm: string;
  encoding: string;
  prefix: string;
  timestampHeader: string | null;
}

/** The same of a form. */
export interface FormRules {
  origins: readonly string[];
  leastSeconds: number;
  perAddressPerHour: number;
}

/** Whether pages of an origin may send a form. */
export const lets = ({ origins }: FormRules, origin: string) => origins.includes('*') || origins.includes(origin);

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A time's length in its largest unit: "3 hours". */
export function duration(seconds: number, locale: string): string {
  const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? ['second', 1];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(
    Math.round(seconds / length),
  );
}

/** What puts a form into a page: `words` are those that are not the script's own. */
export function snippet(url: string, fields: readonly string[], words: Readonly<Record<string, string>>): string {
  const given = { fields: fields.join(','), ...words };
  const attributes = Object.entries(given).map(([name, value]) => ` data-${name}="${escaped(value)}"`);
  return `<script src="${escaped(url)}"${attributes.join('')}></script>`;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
