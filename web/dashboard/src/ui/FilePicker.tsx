import { type DragEvent, type ReactNode, useId, useState } from 'react';
import styles from './FilePicker.module.css';
import { Icon } from './Icon';

interface Props {
  label: string;
  /** What it may be. */
  hint?: ReactNode;
  /** As in HTML: `.csv,text/csv`. */
  accept?: string;
  onFile: (file: File) => void;
}

/** A place to choose a file, or to drop one. */
export function FilePicker({ label, hint, accept, onFile }: Props) {
  const id = useId();
  const [isOver, setOver] = useState(false);

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: who drags nothing chooses by the field in it
    <div
      className={styles.place}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Icon name="import" size={28} />
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file) onFile(file);
          // The same file may be chosen again.
          target.value = '';
        }}
      />
      {hint && (
        <span id={`${id}-hint`} className={styles.hint}>
          {hint}
        </span>
      )}
    </div>
  );
}
