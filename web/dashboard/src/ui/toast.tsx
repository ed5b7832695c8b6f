import { createContext, type ReactNode, use, useCallback, useState } from 'react';
import { useShellMessages } from '../app/messages';
import { Button, IconButton } from './Button';
import styles from './toast.module.css';

interface Toast {
  text: string;
  kind?: 'done' | 'failed';
  /** The way back, where there is one. */
  undo?: { label: string; action: () => void };
}

const Context = createContext<((toast: Toast) => void) | null>(null);
const SHOWN = 6_000;

export function ToastProvider({ children }: { children: ReactNode }) {
  const shell = useShellMessages();
  const [toasts, setToasts] = useState<(Toast & { id: number })[]>([]);
  const dismiss = useCallback((id: number) => setToasts((now) => now.filter((each) => each.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = performance.now();
      // Only what was done last can be undone.
      setToasts((now) => [...now.filter((each) => !each.undo || !toast.undo), { ...toast, id }]);
      // What went wrong, and what can be undone, stays until it is dismissed.
      if (toast.kind !== 'failed' && !toast.undo) setTimeout(() => dismiss(id), SHOWN);
    },
    [dismiss],
  );
  return (
    <Context value={show}>
      {children}
      <section className={styles.toasts} aria-live="polite" aria-label={shell.dismiss}>
        {toasts.map(({ id, text, kind = 'done', undo }) => (
          <div key={id} className={styles.toast} data-kind={kind}>
            <span>{text}</span>
            {undo && (
              <Button
                kind="quiet"
                onClick={() => {
                  undo.action();
                  dismiss(id);
                }}
              >
                {undo.label}
              </Button>
            )}
            <IconButton icon="cross" label={shell.dismiss} onClick={() => dismiss(id)} />
          </div>
        ))}
      </section>
    </Context>
  );
}

/** Says in passing that something was done, or was not. */
export function useToast(): (toast: Toast) => void {
  const show = use(Context);
  if (!show) throw new Error('There are no toasts around this');
  return show;
}
