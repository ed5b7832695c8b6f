import type { Values } from '../../ui/Form';

/** What the filters say: whole days in the reader's zone, both included. */
export function wanted(values: Values) {
  const [from, to] = [values.maybe('from'), values.maybe('to')];
  return {
    action: values.maybe('action')?.trim() ?? null,
    from: from ? midnight(from, 0) : null,
    to: to ? midnight(to, 1) : null,
  };
}

function midnight(day: string, later: number): string {
  const at = new Date(`${day}T00:00:00`);
  at.setDate(at.getDate() + later);
  return at.toISOString();
}
