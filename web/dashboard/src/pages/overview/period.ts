/** The time that the overview is about, and what it is compared with; both are made of whole days of the reader's. */
export interface Period {
  before: Date;
  from: Date;
  /** Exclusive. */
  to: Date;
  days: number;
  interval: 'HOUR' | 'DAY' | 'WEEK' | 'MONTH';
  /** Whether it goes on: what comes now is in it. */
  isNow: boolean;
}

export const LENGTHS = [7, 30, 90, 365] as const;
const USUAL = 30;
const DAY = 86_400_000;
const MOST = 3_660;

/** What the address says: `days=90` up to today, `from` and `to` as the first and last day, or else the usual. */
export function read(search: string, now: Date): Period {
  const given = new URLSearchParams(search);
  const today = midnight(now);
  const [from, last] = [dayIn(given.get('from')), dayIn(given.get('to'))];
  if (from && last && from <= last && daysBetween(from, last) < MOST) {
    return spanning(from, later(last, 1), today);
  }
  const days = Number(given.get('days'));
  const length = Number.isInteger(days) && days >= 1 && days < MOST ? days : USUAL;
  return spanning(later(today, 1 - length), later(today, 1), today);
}

/** From a midnight to another, seen on some day. */
export function spanning(from: Date, to: Date, today: Date): Period {
  const days = daysBetween(from, to);
  const interval = days <= 2 ? 'HOUR' : days <= 92 ? 'DAY' : days <= 750 ? 'WEEK' : 'MONTH';
  return { before: later(from, -days), from, to, days, interval, isNow: to > today };
}

/** As the address says it, from the first day to the last. */
export const written = (from: Date, last: Date) => `from=${iso(from)}&to=${iso(last)}`;

/** The part of a period from one of its buckets to another, as the address says it. */
export function part({ to }: Period, starts: readonly string[], one: number, other: number): string {
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  const end = starts[last + 1];
  const until = end ? new Date(end) : to;
  return written(new Date(starts[first] ?? ''), new Date(until.getTime() - 1));
}

export function iso(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function dayIn(text: string | null): Date | undefined {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '') ?? [];
  const found = year ? new Date(Number(year), Number(month) - 1, Number(date)) : undefined;
  return found && iso(found) === text ? found : undefined;
}

const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
/** By the calendar: days in which the clock is changed are days, too. */
const later = (date: Date, days: number) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
const daysBetween = (from: Date, to: Date) => Math.round((to.getTime() - from.getTime()) / DAY);
