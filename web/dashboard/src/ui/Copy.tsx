import { useShellMessages } from '../app/messages';
import { Button } from './Button';
import styles from './Copy.module.css';
import { useToast } from './toast';

interface Props {
  text: string;
  /** The words on the button. */
  label: string;
}

export function CopyButton({ text, label }: Props) {
  const shell = useShellMessages();
  const toast = useToast();
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      toast({ text: shell.copied });
    } catch {
      toast({ text: shell.problems.other, kind: 'failed' });
    }
  }
  return (
    <Button icon="copy" onClick={() => void copy()}>
      {label}
    </Button>
  );
}

/** What is copied rather than read: a secret, an address, a program. */
export function Code({ text, label }: Props) {
  return (
    <div className={styles.code}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the page is moved by keyboard, too */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
