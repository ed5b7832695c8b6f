import { useLanguage } from './language';

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** The reader's time zone, as an IANA name. */
export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export type Format = ReturnType<typeof formats>;

export function formats(locale: string) {
  const numbers = (options: Intl.NumberFormatOptions) => once(() => new Intl.NumberFormat(locale, options));
  const dates = (options: Intl.DateTimeFormatOptions) => once(() => new Intl.DateTimeFormat(locale, options));
  const number = numbers({});
  const percent = numbers({ style: 'percent', maximumFractionDigits: 0 });
  const change = numbers({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  const decimal = numbers({ maximumFractionDigits: 2 });
  const date = dates({ dateStyle: 'medium' });
  const moment = dates({ dateStyle: 'medium', timeStyle: 'short' });
  const relative = once(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' }));
  return {
    number: (value: number) => number().format(value),
    /** Of a share from 0 to 1. */
    percent: (share: number) => percent().format(share),
    /** Of a share by which something became more: "+12%". */
    change: (share: number) => change().format(share),
    decimal: (value: number) => decimal().format(value),
    /** Of a moment as the server writes it. */
    date: (iso: string) => date().format(new Date(iso)),
    moment: (iso: string) => moment().format(new Date(iso)),
    /** "3 min. ago", and a date after a week. */
    ago(iso: string, now: number) {
      const seconds = (new Date(iso).getTime() - now) / 1_000;
      if (Math.abs(seconds) >= 7 * 86_400) return date().format(new Date(iso));
      const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
      return relative().format(Math.round(seconds / length), unit);
    },
  };
}

/** Made when it is first needed: to make one takes a phone ten milliseconds. */
function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const known = new Map<string, Format>();

/** Numbers and dates as the reader writes them, in the reader's zone: one for all, since making one takes longer than drawing a row. */
export function useFormat(): Format {
  const { locale } = useLanguage();
  const format = known.get(locale) ?? formats(locale);
  known.set(locale, format);
  return format;
}
