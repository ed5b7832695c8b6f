export interface Span<Label> {
  /** In Unicode code points, as the server counts. */
  start: number;
  end: number;
  label: Label;
}

export interface Segment<Label> {
  text: string;
  /** Null between sentences. */
  label: Label | null;
  start: number;
}

/** A text cut where its sentences begin and end; together the segments are the text. */
export function segments<Label>(body: string, spans: readonly Span<Label>[]): Segment<Label>[] {
  const points = Array.from(body);
  const found: Segment<Label>[] = [];
  let at = 0;
  const cut = (to: number, label: Label | null) => {
    if (to > at) found.push({ text: points.slice(at, to).join(''), label, start: at });
    at = Math.max(at, to);
  };
  for (const { start, end, label } of [...spans].sort((one, other) => one.start - other.start)) {
    cut(Math.min(start, points.length), null);
    cut(Math.min(end, points.length), label);
  }
  cut(points.length, null);
  return found;
}
