import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';

const THINGS = ['feedback', 'exports', 'imports', 'refused', 'webhooks', 'alerts', 'jobs', 'audit'] as const;

/** How long what is kept is kept. */
export function Kept() {
  const t = useMessages(MESSAGES);
  return (
    <Card title={t.kept}>
      <p>{t.keptText}</p>
      <Table
        caption={t.kept}
        rows={THINGS}
        id={(thing) => thing}
        columns={[
          { key: 'thing', title: t.thing, cell: (thing) => t.things[thing] },
          { key: 'time', title: t.time, cell: (thing) => t.times[thing] },
        ]}
      />
    </Card>
  );
}
