import type { Values } from '../../ui/Form';

export const SCOPES = [
  'feedback:read',
  'feedback:write',
  'feedback:tag',
  'stats:read',
  'sentiment:analyze',
  'sources:manage',
  'jobs:read',
  'jobs:manage',
  'imports:create',
  'exports:create',
] as const;

/** What the form says: a key ends with the day that was chosen, in the reader's zone; addresses are a line or a word each. */
export function keyInput(values: Values) {
  const day = values.maybe('expiresAt');
  return {
    name: values.text('name'),
    scopes: values.all('scopes'),
    expiresAt: day ? new Date(`${day}T23:59:59`).toISOString() : null,
    allowedIps: values
      .text('allowedIps')
      .split(/[\s,]+/)
      .filter(Boolean),
  };
}

/** A moment as a day in the reader's zone, as `<input type="date">` writes it. */
export function dayOf(iso: string | null): string {
  if (!iso) return '';
  const at = new Date(iso);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}
