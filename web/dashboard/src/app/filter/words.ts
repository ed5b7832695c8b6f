import { useCallback } from 'react';
import { useMessages } from '../../i18n/catalogue';
import { type ShellMessages, useShellMessages } from '../messages';
import { useChoices } from '../triage';
import { MESSAGES } from './messages';
import type { Which } from './values';

type Messages = Awaited<ReturnType<typeof MESSAGES.in>>;
type Named = readonly { id: string; name: string }[];

/** Which feedback, for people: `“refund” · Shop, App · Negative · rated 1 to 3`; names that are still asked for are `…`. */
export function inWords(which: Which, t: Messages, shell: ShellMessages, sources?: Named, tags?: Named): string {
  const { search, sourceIds, tagIds, sentiments, ratingGte, ratingLte, statuses } = which;
  const names = (ids: readonly string[] | null | undefined, named: Named | undefined) =>
    ids?.map((id) => (named ? (named.find((each) => each.id === id)?.name ?? t.gone) : '…')).join(', ');
  const least = ratingGte?.toString();
  const most = ratingLte?.toString();
  const parts = [
    search && `“${search}”`,
    names(sourceIds, sources),
    names(tagIds, tags),
    sentiments?.map((each) => shell.sentiment[each]).join(', '),
    statuses?.map((each) => shell.status[each]).join(', '),
    least && most ? t.rated(least, most) : least ? t.ratedAtLeast(least) : most && t.ratedAtMost(most),
  ];
  return parts.filter(Boolean).join(' · ') || t.every;
}

export function useFilterWords(): (which: Which) => string {
  const t = useMessages(MESSAGES);
  const shell = useShellMessages();
  const { sources, tags, areThere } = useChoices();
  return useCallback(
    (which) => (areThere ? inWords(which, t, shell, sources, tags) : inWords(which, t, shell)),
    [t, shell, sources, tags, areThere],
  );
}
