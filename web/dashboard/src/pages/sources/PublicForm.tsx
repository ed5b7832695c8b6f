import { useEffect, useRef, useState } from 'react';
import { useParams } from 'wouter';
import { Title } from '../../app/Title';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Narrow } from '../../ui/Narrow';
import { MESSAGES } from './messages';
import styles from './PublicForm.module.css';

/** A source's form on a page of its own, by the script that other pages have. */
export default function PublicForm() {
  const t = useMessages(MESSAGES);
  const { key = '' } = useParams<{ key: string }>();
  const place = useRef<HTMLDivElement>(null);
  const [isMissing, setMissing] = useState(false);

  useEffect(() => {
    const target = place.current;
    const script = document.createElement('script');
    script.src = `/forms/${encodeURIComponent(key)}.js`;
    Object.assign(script.dataset, { fields: 'name,email,rating', target: '#form', ...t.formWords });
    script.onload = () => setMissing(false);
    script.onerror = () => setMissing(true);
    document.head.append(script);
    return () => {
      script.remove();
      target?.replaceChildren();
    };
  }, [key, t]);

  return (
    <Narrow>
      <Title>{t.publicForm}</Title>
      <Card>
        {isMissing && <p role="alert">{t.noForm}</p>}
        <div id="form" ref={place} className={styles.form} />
      </Card>
    </Narrow>
  );
}
