import { useEffect, useState } from 'react';
import { useFormat } from '../i18n/format';

const TICK = 30_000;

/** A moment as "3 min. ago", which goes on counting; the exact one in the reader's zone is in its title. */
export function Moment({ at }: { at: string }) {
  const format = useFormat();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={format.moment(at)}>
      {format.ago(at, Math.max(now, Date.parse(at)))}
    </time>
  );
}
