import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useMay, useWorkspace } from '../../app/workspace';
import { useMessages } from '../../i18n/catalogue';
import { Button } from '../../ui/Button';
import { Failed, Loading } from '../../ui/states';
import { Bulk } from './Bulk';
import type { Conditions } from './conditions';
import { Item } from './Item';
import styles from './List.module.css';
import { MESSAGES } from './messages';
import { useRows } from './useRows';

const HEIGHT = 104;
/** So many before the end the next page is asked for. */
const AHEAD = 15;

interface Props {
  conditions: Conditions;
  /** What is shown where nothing matches. */
  none: ReactNode;
}

/** The feedback under these conditions: only what is on screen is drawn, however long the list is. */
export function List({ conditions, none }: Props) {
  const t = useMessages(MESSAGES);
  const { slug } = useWorkspace();
  const mayChange = useMay('ANALYST');
  const { rows, end, error, isLoading, again, more, reveal, put } = useRows(conditions);
  const { shown, waiting } = rows;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLDivElement>(null);
  const current = useRef<string | undefined>(undefined);
  const anchor = useRef<string | undefined>(undefined);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const top = list.current ? list.current.getBoundingClientRect().top + window.scrollY : 0;
    setOffset((now) => (Math.abs(now - top) > 1 ? top : now));
  });
  const virtual = useWindowVirtualizer({
    count: shown.length,
    estimateSize: () => HEIGHT,
    getItemKey: (index) => shown[index]?.id ?? index,
    overscan: 8,
    scrollMargin: offset,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= shown.length - AHEAD) more();
  }, [last, shown.length, more]);

  const ids = useRef<string[]>([]);
  ids.current = shown.map(({ id }) => id);
  const choose = useCallback((id: string, isRange: boolean) => {
    setChosen((now) => {
      const [one, other] = [ids.current.indexOf(anchor.current ?? id), ids.current.indexOf(id)];
      const range = isRange && one >= 0 ? ids.current.slice(Math.min(one, other), Math.max(one, other) + 1) : [id];
      const next = new Set(now);
      const isOff = !isRange && now.has(id);
      for (const each of range) {
        if (isOff) next.delete(each);
        else next.add(each);
      }
      anchor.current = id;
      return next;
    });
  }, []);
  const focused = useCallback((id: string) => {
    current.current = id;
  }, []);

  function go(by: number) {
    const at = current.current ? ids.current.indexOf(current.current) : -1;
    const next = Math.max(0, Math.min(shown.length - 1, at + by));
    const id = ids.current[next];
    if (!id) return;
    current.current = id;
    virtual.scrollToIndex(next, { align: 'auto' });
    // It may have to be drawn first, and one may have gone on by then.
    requestAnimationFrame(() => requestAnimationFrame(() => current.current === id && focus(id)));
    focus(id);
  }
  const focus = (id: string) =>
    list.current?.querySelector<HTMLElement>(`[data-row="${id}"]`)?.focus({ preventScroll: true });

  function pressed(event: KeyboardEvent) {
    const { target, key } = event;
    const isWriting = target instanceof HTMLElement && target.matches('input:not([type=checkbox]), select, textarea');
    if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === 'j' || key === 'k') go(key === 'j' ? 1 : -1);
    else if (key.toLowerCase() === 'x' && current.current && mayChange) choose(current.current, event.shiftKey);
    else if (key === 'Escape' && chosen.size) setChosen(new Set());
    else return;
    event.preventDefault();
  }

  const marked = shown.filter(({ id }) => chosen.has(id));
  const areAll = marked.length > 0 && marked.length === shown.length;
  if (!shown.length && error) return <Failed error={error} retry={again} />;
  if (!shown.length && isLoading) return <Loading lines={10} />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys that are pressed on what is in it
    <div className={styles.frame} onKeyDown={pressed}>
      <div className={styles.bar}>
        {mayChange && shown.length > 0 && (
          <label className={styles.all}>
            <input
              type="checkbox"
              checked={areAll}
              onChange={() => setChosen(areAll ? new Set() : new Set(ids.current))}
            />
            {t.chooseAll}
          </label>
        )}
        <span role="status" className={styles.fresh}>
          {waiting.length > 0 && (
            <Button
              kind="primary"
              onClick={() => {
                reveal();
                current.current = undefined;
                window.scrollTo({ top: 0 });
              }}
            >
              {t.fresh(waiting.length)}
            </Button>
          )}
        </span>
      </div>
      {shown.length === 0 && none}
      {/* biome-ignore lint/a11y/useSemanticElements: a list whose items are not all there is told how long it is */}
      <div
        ref={list}
        role="list"
        aria-label={t.list}
        className={styles.list}
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map(({ key, index, start }) => {
          const row = shown[index];
          return (
            row && (
              // biome-ignore lint/a11y/useSemanticElements: see above
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                role="listitem"
                aria-setsize={end?.hasNextPage ? -1 : shown.length}
                aria-posinset={index + 1}
                className={styles.place}
                style={{ transform: `translateY(${start - offset}px)` }}
              >
                <Item
                  row={row}
                  href={`/w/${slug}/inbox/${row.id}`}
                  isChosen={chosen.has(row.id)}
                  mayChoose={mayChange}
                  onChoose={choose}
                  onFocus={focused}
                />
              </div>
            )
          );
        })}
      </div>
      {error ? (
        <Failed error={error} retry={again} />
      ) : isLoading ? (
        <Loading lines={3} />
      ) : (
        shown.length > 0 && !end?.hasNextPage && <p className={styles.end}>{t.end}</p>
      )}
      {shown.length > 0 && <p className={styles.keys}>{t.keys}</p>}
      {marked.length > 0 && <Bulk chosen={marked} onChanged={put} onClear={() => setChosen(new Set())} />}
    </div>
  );
}
