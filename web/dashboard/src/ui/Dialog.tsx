import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useShellMessages } from '../app/messages';
import { Button, IconButton } from './Button';
import styles from './Dialog.module.css';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog for as long as it is rendered; the browser keeps the focus in it and gives it back. */
export function Dialog({ title, onClose, children }: Props) {
  const shell = useShellMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className={styles.head}>
        <h2 id={heading}>{title}</h2>
        <IconButton icon="cross" label={shell.dialog.close} onClick={onClose} />
      </div>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will be gone, or cannot be undone. */
  children: ReactNode;
  /** The verb: never "OK". */
  action: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is destroyed. Its first button, which has the focus, does nothing. */
export function Confirm({ title, children, action, onConfirm, onClose }: ConfirmProps) {
  const shell = useShellMessages();
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={title} onClose={onClose}>
      <div>{children}</div>
      <div className={styles.actions}>
        <Button autoFocus onClick={onClose}>
          {shell.dialog.cancel}
        </Button>
        <Button
          kind="danger"
          busy={busy}
          onClick={() => {
            setBusy(true);
            void onConfirm().finally(onClose);
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
